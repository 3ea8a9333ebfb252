import { setBackend } from '@tensorflow/tfjs-core';
import { registerCpuKernels } from '../cpu/register-cpu-kernels.ts';
import type { PreparedBackend } from './prepared-backend.ts';

/** Makes the plain JavaScript backend current, with its wrong kernels replaced. */
export async function prepareCpu(): Promise<PreparedBackend> {
  await import('@tensorflow/tfjs-backend-cpu');
  registerCpuKernels();
  if (!(await setBackend('cpu'))) throw new Error('it could not be initialized');
  return { name: 'cpu', threads: 1, detail: 'plain JavaScript works everywhere' };
}
