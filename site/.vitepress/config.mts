import { readdirSync } from 'node:fs';
import { defineConfig } from 'vitepress';

const named = (entries: Record<string, string>) =>
  Object.entries(entries).map(([text, link]) => ({ text, link }));
const packages = readdirSync('packages').filter((name) => !['benchmarks', 'test-utils'].includes(name));

export default defineConfig({
  title: 'voxface',
  description: '2D and 3D face landmarks in TypeScript: find them, train the networks, measure them',
  // Below any path: GitHub Pages serves projects at /NAME/. VOXFACE_BASE names it.
  base: process.env.VOXFACE_BASE ?? '/',
  cleanUrls: true,
  lastUpdated: false,
  srcExclude: ['README.md'],
  // The demo page is put beside the built site.
  ignoreDeadLinks: [/^\/demo\//],
  markdown: { math: false },
  // The index of the search holds the whole reference; it is loaded when somebody searches.
  vite: { build: { chunkSizeWarningLimit: 4000 } },
  themeConfig: {
    search: { provider: 'local' },
    nav: named({ Start: '/start', Guides: '/guides/photo', Reference: '/api/', Compare: '/comparison' }),
    outline: [2, 3],
    sidebar: [
      {
        text: 'Begin',
        items: named({
          Start: '/start',
          createFaceLandmarker: '/face-landmarker',
          Limits: '/limits',
          Roadmap: '/roadmap',
        }),
      },
      {
        text: 'Guides',
        items: named({
          'A photo': '/guides/photo',
          'A folder': '/guides/folder',
          'A video': '/guides/video',
          'A page': '/guides/browser',
          'A worker': '/guides/worker',
          Next: '/guides/next',
          'Training on your photos': '/guides/train',
          'Evaluating your method': '/guides/evaluate',
          'Reproducing the paper': '/guides/paper',
        }),
      },
      {
        text: 'Coming from elsewhere',
        items: named({ Comparison: '/comparison', 'From face-api and MediaPipe': '/migrate' }),
      },
      {
        text: 'In depth',
        items: named({
          Conventions: '/docs/conventions',
          'Command line': '/docs/command-line',
          Models: '/docs/models',
          Training: '/docs/training',
          Evaluating: '/docs/evaluating',
          Datasets: '/docs/datasets',
          ONNX: '/docs/onnx',
          Backends: '/docs/backends',
          Performance: '/docs/performance',
          'Paper map': '/docs/paper-map',
          'All of them': '/docs/',
        }),
      },
      {
        text: 'Packages',
        collapsed: true,
        items: packages.map((name) => ({ text: name, link: `/packages/${name}` })),
      },
    ],
  },
});
