/** One of `count` equal parts of a job. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/**
 * Which part of the work this process does: `i/n` when given, else SLURM_ARRAY_TASK_ID (less SLURM_ARRAY_TASK_MIN) of
 * SLURM_ARRAY_TASK_COUNT, else JOB_COMPLETION_INDEX of JOB_COMPLETIONS (set by hand in the job's manifest), else all.
 * @param text `i/n`, 0-based.
 * @throws RangeError when the index is not in 0..n-1.
 */
export function shardOf(text: string | undefined, environment: Record<string, string | undefined>): Shard {
  const [index, count] = text
    ? text.split('/').map(Number)
    : environment.SLURM_ARRAY_TASK_ID !== undefined
      ? [
          Number(environment.SLURM_ARRAY_TASK_ID) - Number(environment.SLURM_ARRAY_TASK_MIN ?? 0),
          Number(environment.SLURM_ARRAY_TASK_COUNT ?? Number.NaN),
        ]
      : environment.JOB_COMPLETION_INDEX !== undefined && environment.JOB_COMPLETIONS !== undefined
        ? [Number(environment.JOB_COMPLETION_INDEX), Number(environment.JOB_COMPLETIONS)]
        : [0, 1];
  if (!(Number.isInteger(index) && Number.isInteger(count) && index >= 0 && index < count)) {
    throw new RangeError(
      `shardOf: expected i/n with 0 <= i < n, got ${text ?? `${index}/${count} from the job's environment`}`,
    );
  }
  return { index, count };
}
