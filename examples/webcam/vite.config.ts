import { cpSync, createReadStream, existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { defineConfig, type Plugin } from 'vite';

const require = createRequire(import.meta.url);
const folderOf = (name: string): string => dirname(require.resolve(`${name}/package.json`));

/** Folders of weights inside npm packages, and the addresses the page reads them from. */
const WEIGHTS: Record<string, string> = {
  models: join(folderOf('@voxface/pretrained'), 'models'),
  'face-api': join(folderOf('@vladmandic/face-api'), 'model'),
};

/** Serves the weights while developing and copies them beside the built page. */
function weights(): Plugin {
  let out = '';
  return {
    name: 'weights',
    configResolved: (config) => {
      out = config.build.outDir;
    },
    configureServer: ({ middlewares }) => {
      for (const [route, folder] of Object.entries(WEIGHTS)) {
        middlewares.use(`/${route}`, (request, response, next) => {
          const file = join(folder, decodeURIComponent((request.url ?? '').split('?')[0]));
          if (!file.startsWith(folder) || !existsSync(file)) return next();
          createReadStream(file).pipe(response);
        });
      }
    },
    closeBundle: () => {
      for (const [route, folder] of Object.entries(WEIGHTS)) {
        for (const name of readdirSync(folder)) {
          if (route === 'face-api' && !name.startsWith('tiny_face_detector')) continue;
          cpSync(join(folder, name), join(out, route, name), { recursive: true });
        }
      }
    },
  };
}

export default defineConfig({
  base: './',
  build: { target: 'es2022', chunkSizeWarningLimit: 4000 },
  // Its build finds its WebAssembly beside itself.
  optimizeDeps: { exclude: ['onnxruntime-web'] },
  plugins: [weights()],
});
