import { describe, expect, it } from 'vitest';
import { shardIndices, shardOf } from '../src/index.ts';

describe('shardOf', () => {
  it.each([
    ['nothing: everything', {}, 0, 1],
    [
      'a Slurm array',
      { SLURM_ARRAY_TASK_ID: '5', SLURM_ARRAY_TASK_MIN: '1', SLURM_ARRAY_TASK_COUNT: '8' },
      4,
      8,
    ],
    [
      'a Slurm array in steps',
      {
        SLURM_ARRAY_TASK_ID: '10',
        SLURM_ARRAY_TASK_MIN: '0',
        SLURM_ARRAY_TASK_COUNT: '3',
        SLURM_ARRAY_TASK_STEP: '5',
      },
      2,
      3,
    ],
    ['a Kubernetes indexed job', { JOB_COMPLETION_INDEX: '1', JOB_COMPLETIONS: '4' }, 1, 4],
    ['Open MPI', { OMPI_COMM_WORLD_RANK: '3', OMPI_COMM_WORLD_SIZE: '4', PMIX_RANK: '3' }, 3, 4],
    ['PMI', { PMI_RANK: '0', PMI_SIZE: '2' }, 0, 2],
    ['PMIx under srun', { PMIX_RANK: '2', SLURM_STEP_NUM_TASKS: '6' }, 2, 6],
  ])('reads %s', (_, environment, index, count) => {
    expect(shardOf(undefined, environment)).toEqual({ index, count });
  });

  it('takes what the user says first, counted from 1', () => {
    const environment = { SLURM_ARRAY_TASK_ID: '5', SLURM_ARRAY_TASK_COUNT: '8' };
    expect(shardOf('2/3', environment)).toEqual({ index: 1, count: 3 });
  });

  it('does not take the tasks of a Slurm batch script for ranks: only srun starts several', () => {
    expect(shardOf(undefined, { SLURM_PROCID: '0', SLURM_NTASKS: '4' })).toEqual({ index: 0, count: 1 });
  });

  it.each(['4/3', '0/2', '-1/2', 'a/b', '1', '1/2/3', '1.5/2', '1/'])('refuses %s', (text) => {
    expect(() => shardOf(text, {})).toThrow(/--shard: expected i\/n with 1 <= i <= n, got /);
  });

  it.each([
    [{ JOB_COMPLETION_INDEX: '1' }, /got no JOB_COMPLETIONS \(Kubernetes says the index alone: set/],
    [{ PMIX_RANK: '1' }, /beside PMIX_RANK=1, got no SLURM_STEP_NUM_TASKS/],
    [{ SLURM_ARRAY_TASK_ID: '1' }, /got no SLURM_ARRAY_TASK_COUNT/],
    [
      { SLURM_ARRAY_TASK_ID: '7', SLURM_ARRAY_TASK_MIN: '1', SLURM_ARRAY_TASK_COUNT: '3' },
      /got SLURM_ARRAY_TASK_ID=7 and SLURM_ARRAY_TASK_COUNT=3, SLURM_ARRAY_TASK_MIN=1 \(arrays must be a plain range/,
    ],
    [{ PMI_RANK: 'x', PMI_SIZE: '2' }, /expected an index within the number of parts/],
  ])('refuses %o', (environment, message) => {
    expect(() => shardOf(undefined, environment)).toThrow(message);
  });
});

describe('shardIndices', () => {
  it.each([
    [10, 3],
    [2, 5],
    [0, 2],
    [7, 1],
  ])('gives each of %i items to one of %i parts', (length, count) => {
    const all = Array.from({ length: count }, (_, index) => shardIndices(length, { index, count }));
    expect(all.flat().sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i));
    const sizes = all.map((part) => part.length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  });
});
