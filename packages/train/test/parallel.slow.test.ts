import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setupBackend } from '@voxface/backend';
import { expectClose } from '@voxface/test-utils';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeCheckpoint } from '../src/checkpoint.ts';
import type { NetworkName } from '../src/networks.ts';
import { runTraining } from '../src/node.ts';
import { microConfig, readLosses } from './helpers/packed-faces.ts';

beforeAll(async () => {
  await setupBackend('cpu');
});

describe('data-parallel training', () => {
  it('gives what one worker gives that accumulates the same parts', async () => {
    const stages = [
      { kind: 'pretrain' as const, steps: 2 },
      { kind: 'adversarial' as const, steps: 2 },
    ];
    const alone = await microConfig({ stages, accumulate: 2 });
    const together = { ...alone, accumulate: 1, workers: 2, output: `${alone.output}-parallel` };
    await runTraining(alone);
    await runTraining(together);
    const [expected, actual] = [await readLosses(alone.output), await readLosses(together.output)];
    expect(actual.length).toBe(4);
    for (let i = 0; i < 4; i++) {
      expect(Object.keys(actual[i])).toEqual(Object.keys(expected[i]));
      expectClose(Object.values(actual[i]), Object.values(expected[i]), { absolute: 1e-5, relative: 1e-4 });
    }
    const stateOf = async (output: string) => {
      const file = join(output, 'checkpoints', 'step-00000004.ckpt');
      return decodeCheckpoint(await readFile(file), file).state;
    };
    const [a, b] = [await stateOf(alone.output), await stateOf(together.output)];
    for (const name of ['estimator', 'regressor', 'discriminator'] as NetworkName[]) {
      expectClose(b.networks[name]!.statistics, a.networks[name]!.statistics, {
        absolute: 1e-4,
        relative: 1e-3,
      });
      expectClose(b.networks[name]!.adam.first, a.networks[name]!.adam.first, {
        absolute: 1e-4,
        relative: 1e-2,
      });
    }
  });
});
