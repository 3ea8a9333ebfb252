import { Worker } from 'node:worker_threads';
import { expect, it, vi } from 'vitest';
import { runPhotoThreads, type ThreadSetup } from '../src/photos/photo-threads.ts';

// As a crash of native code looks from outside: the first photo is answered, at the second the thread is gone.
vi.mock('@voxface/datasets/node', () => ({
  startWorker: () =>
    new Worker(
      `const { parentPort } = require('node:worker_threads');
      parentPort.on('message', ({ index }) => (index === 0 ? parentPort.postMessage({ index }) : process.exit(7)));`,
      { eval: true },
    ),
}));

it('a photo thread that ends is an error, not a silent end', async () => {
  const setup = { model: new Uint8Array(4), detector: null } as unknown as ThreadSetup;
  const answered: number[] = [];
  const run = async (): Promise<void> => {
    const requests = ['a.jpg', 'b.jpg', 'c.jpg'].map((file) => ({ file }));
    for await (const { index } of runPhotoThreads(requests, setup, 1)) answered.push(index);
  };
  await expect(run()).rejects.toThrow(/photo thread must live until the last photo, got exit code 7/);
  expect(answered.length).toBeLessThan(2);
});
