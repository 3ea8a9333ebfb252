import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe } from 'vitest';

/** A backend to test on. */
export interface BackendUnderTest {
  /** Name in the registry of TensorFlow.js. */
  name: string;
  /** Loads and prepares it; throws when this machine lacks it. Absent: it is registered already. */
  setup?: () => Promise<unknown>;
  /** true: a missing backend fails instead of being skipped. */
  required?: boolean;
}

/**
 * One `describe` per backend. A backend that cannot be prepared is skipped with the reason in the title, or fails when
 * required. Await it at the top of a test file.
 */
export async function describeBackends(
  title: string,
  backends: readonly BackendUnderTest[],
  body: (backend: string) => void,
): Promise<void> {
  for (const backend of backends) {
    let problem = '';
    try {
      await backend.setup?.();
      if (!(await tf.setBackend(backend.name))) problem = 'not available';
      await tf.ready();
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    if (problem && backend.required) {
      throw new Error(`describeBackends: ${backend.name} is required, got: ${problem}`);
    }
    const label = `${title} on ${backend.name}`;
    describe.skipIf(problem !== '')(problem ? `${label} (${problem})` : label, () => {
      beforeAll(async () => {
        await tf.setBackend(backend.name);
      });
      body(backend.name);
    });
  }
}
