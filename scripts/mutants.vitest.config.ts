import { defineConfig } from 'vitest/config';

const conditions = ['voxface-source', 'module', 'node', 'import', 'default'];
const name = process.env.VOXFACE_MUTANTS;

/**
 * The unit tests of one package, for `scripts/mutants.mjs`: the fast ones, and with training the comparisons with PyTorch, which are
 * long.
 */
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: [`packages/${name}/test/**/*.test.ts`],
    exclude: [
      '**/node_modules/**',
      '**/*.{wasm,webgpu,browser,page,slow}.test.ts',
      name === 'train'
        ? '**/{recorded-phases,run-training,pretrain-discriminator}.long.test.ts'
        : '**/*.long.test.ts',
    ],
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});
