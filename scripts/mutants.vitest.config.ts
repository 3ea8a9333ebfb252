import { defineConfig } from 'vitest/config';
import { WIRING } from './wiring.mjs';

const conditions = ['voxface-source', 'module', 'node', 'import', 'default'];
const tests = process.env.VOXFACE_MUTANTS ?? '';
const wrong = WIRING.find((mutation) => mutation.name === process.env.VOXFACE_WIRING);

/**
 * The fast tests that `VOXFACE_MUTANTS` names, for `scripts/mutants.mjs`; with `VOXFACE_WIRING`, on the package as one of `WIRING` would have it.
 */
export default defineConfig({
  plugins: wrong && [
    {
      name: 'wiring',
      enforce: 'pre' as const,
      transform(code: string, id: string) {
        return id.endsWith(`packages/train/src/${wrong.file}`) ? miswire(code, wrong) : undefined;
      },
    },
  ],
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: tests.split(','),
    exclude: ['**/node_modules/**', '**/*.{long,wasm,webgpu,browser,page,slow}.test.ts'],
    // One module graph for a run of all files: loading them again for each would take most of a mutant's time.
    isolate: false,
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});

function miswire(code: string, { name, from, to }: (typeof WIRING)[number]): string {
  if (code.split(from).length !== 2) {
    throw new Error(
      `miswire: the text to change must be there once, got ${code.split(from).length - 1} (${name})`,
    );
  }
  return code.replace(from, () => to);
}
