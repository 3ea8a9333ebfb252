import * as tf from '@tensorflow/tfjs-core';

/**
 * Runs `run` once to warm up (caches, compiled programs), then `times` more, and checks that no tensor stays behind.
 * @param run creates, uses and disposes.
 * @throws Error with the number of tensors and bytes left per run.
 */
export async function expectNoLeak(run: () => unknown | Promise<unknown>, times = 2): Promise<void> {
  await run();
  const before = tf.memory();
  for (let i = 0; i < times; i++) await run();
  const after = tf.memory();
  if (after.numTensors !== before.numTensors) {
    throw new Error(
      `expectNoLeak: ${(after.numTensors - before.numTensors) / times} tensors and ` +
        `${(after.numBytes - before.numBytes) / times} bytes stay behind per run`,
    );
  }
}
