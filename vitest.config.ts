import { existsSync } from 'node:fs';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { CHROMIUM, CHROMIUM_FLAGS, WEBGPU_FLAGS } from './packages/test-utils/src/chromium.ts';

const conditions = ['voxface-source', 'module', 'node', 'import', 'default'];
const lanes = ['wasm', 'webgpu', 'browser', 'page', 'slow', 'fuzz'];

function nodeLane(name: string, include: string[], exclude: string[], timeout: number, isolate = true) {
  return {
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: {
      name,
      isolate,
      include,
      exclude: ['**/node_modules/**', '**/dist/**', ...exclude],
      testTimeout: timeout,
      hookTimeout: timeout,
    },
  };
}

const laneGlobs = (lane: string) => [
  `packages/*/test/**/*.${lane}.test.ts`,
  `examples/*/test/**/*.${lane}.test.ts`,
  `apps/*/test/**/*.${lane}.test.ts`,
];

const units = ['packages/*/test/**/*.test.ts', 'examples/*/test/**/*.test.ts'];

/**
 * Test lanes by file name: `.test.ts` (fast: neither data nor a browser, all of them in seconds), `.long.test.ts` (the lane
 * unit has these and the fast ones), `.wasm.test.ts`, `.webgpu.test.ts` (in Node), `.browser.test.ts`,
 * `.page.test.ts`, `.slow.test.ts`, `.fuzz.test.ts` (damaged inputs through every reader, no part of the test command).
 */
export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      // One module graph per worker: loading TensorFlow.js for every file would take most of the time.
      nodeLane('fast', units, ['long', ...lanes].flatMap(laneGlobs), 60_000, false),
      nodeLane('unit', units, lanes.flatMap(laneGlobs), 240_000),
      nodeLane('wasm', laneGlobs('wasm'), [], 600_000),
      nodeLane('webgpu', laneGlobs('webgpu'), [], 1_200_000),
      nodeLane('page', laneGlobs('page'), [], 300_000),
      nodeLane('slow', laneGlobs('slow'), [], 1_800_000),
      nodeLane('fuzz', laneGlobs('fuzz'), [], 3_600_000),
      {
        resolve: { conditions: ['voxface-source', 'module', 'browser', 'import', 'default'] },
        // Its build finds its WebAssembly beside itself.
        optimizeDeps: { exclude: ['onnxruntime-web', 'onnxruntime-web/wasm'] },
        test: {
          name: 'browser',
          include: laneGlobs('browser'),
          exclude: ['**/node_modules/**', '**/dist/**'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                executablePath: existsSync(CHROMIUM) ? CHROMIUM : undefined,
                args: [...CHROMIUM_FLAGS, ...WEBGPU_FLAGS],
              },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
});
