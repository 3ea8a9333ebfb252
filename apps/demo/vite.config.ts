import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

export default defineConfig({
  // Relative addresses: the folder works below any path, GitHub Pages' included.
  base: './',
  optimizeDeps: { exclude: ['voxface'] },
  build: { target: 'es2022', chunkSizeWarningLimit: 1000 },
  plugins: [firstLook(), fetchEarly()],
});

/** `virtual:first-look`: what `first-look.mjs` prints, in a process of its own that sees the built packages. */
function firstLook(): Plugin {
  const id = '\0first-look';
  const script = fileURLToPath(new URL('./first-look.mjs', import.meta.url));
  return {
    name: 'first-look',
    resolveId: (source) => (source === 'virtual:first-look' ? id : undefined),
    load(wanted) {
      if (wanted !== id) return undefined;
      const env = { ...process.env, NODE_OPTIONS: '' };
      return `export default ${execFileSync(process.execPath, [script], { encoding: 'utf8', env })};`;
    },
  };
}

/** The page's head asks for networks and runtime at once, not when the scripts have got so far. */
function fetchEarly(): Plugin {
  return {
    name: 'fetch-early',
    transformIndexHtml: {
      order: 'post',
      handler(_, { bundle = {} }) {
        return Object.keys(bundle)
          .filter((name) =>
            /(small-int8|detector-tiny).*\.onnx$|ort-wasm-simd-threaded[^.]*\.wasm$/.test(name),
          )
          .map((name) => ({
            tag: 'link',
            attrs: { rel: 'preload', as: 'fetch', crossorigin: '', href: `./${name}` },
            injectTo: 'head' as const,
          }));
      },
    },
  };
}
