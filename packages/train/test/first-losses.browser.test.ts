import { setupBackend } from '@voxface/backend';
import { expect, it } from 'vitest';
import { firstLosses, worstDifference } from './helpers/first-losses.ts';

// WebGL is emulated here and compiles a few hundred shaders first. WebGPU has the same test in Node.
it('the first five losses of a run on webgl are those on cpu', { timeout: 900_000 }, async () => {
  await setupBackend('cpu');
  const expected = await firstLosses();
  await setupBackend('webgl');
  expect(worstDifference(await firstLosses(), expected)).toBeLessThan(1e-3);
  await setupBackend('cpu');
});
