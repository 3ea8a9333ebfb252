import { packageBuild } from '../../tsdown.base.ts';

/** For pages and CDNs: everything in one folder that needs nothing else, with weights and WebAssembly beside it. */
const web = packageBuild(
  { index: 'src/web.ts' },
  {
    outDir: 'dist/web',
    platform: 'browser',
    noExternal: [/./],
    minify: true,
    external: [],
    plugins: [
      {
        // Copied as it is: its threads open it by its own name, which bundlers look for beside it.
        name: 'runtime-beside-the-module',
        resolveId: (id: string) =>
          id === 'onnxruntime-web/wasm' ? { id: './ort.wasm.bundle.min.js', external: true } : null,
      },
    ],
  },
);

export default [
  packageBuild(
    {
      bin: 'src/bin.ts',
      index: 'src/index.ts',
      bench: 'src/bench.ts',
      'photo-worker': 'src/photos/photo-worker.ts',
    },
    // The other build cleans its own folder.
    { clean: ['dist/*.js', 'dist/*.map', 'dist/*.d.ts'] },
  ),
  web,
];
