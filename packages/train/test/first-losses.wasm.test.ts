import { setupBackend } from '@voxface/backend';
import { expect, it } from 'vitest';
import { firstLosses, worstDifference } from './helpers/first-losses.ts';

it('the first five losses of a run on wasm are those on cpu', async () => {
  await setupBackend('cpu');
  const expected = await firstLosses();
  await setupBackend('wasm');
  const actual = await firstLosses();
  expect(actual.map((losses) => Object.keys(losses).sort())).toEqual(
    expected.map((losses) => Object.keys(losses).sort()),
  );
  expect(worstDifference(actual, expected)).toBeLessThan(1e-3);
});
