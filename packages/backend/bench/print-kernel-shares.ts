/**
 * Prints the speed of the wasm training kernels as shares of the backend's own 3x3 convolution, one thread.
 *
 *     node --conditions=voxface-source --import tsx packages/backend/bench/print-kernel-shares.ts [--plain] [rounds]
 *
 * --plain leaves relaxed SIMD off where Node needs a flag for it (Node 20).
 */
import { setBackend } from '@tensorflow/tfjs-core';
import { registerWasmKernels, setupBackend } from '@voxface/backend';
import { prepareKernelShares } from './kernel-shares.ts';

const rounds = Number(process.argv.slice(2).find((argument) => /^\d+$/.test(argument)) ?? 15);
const shares = await prepareKernelShares(async () => {
  if (!process.argv.includes('--plain')) return setupBackend('wasm');
  await setBackend('wasm');
  return registerWasmKernels();
});
shares.runRound();
shares.reset();
for (let round = 0; round < rounds; round++) shares.runRound();
console.log(shares.format());
