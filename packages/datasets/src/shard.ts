/** One of `count` parts of a job. */
export interface Shard {
  /** 0..count - 1. */
  readonly index: number;
  readonly count: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** How one engine tells its tasks apart. */
interface Engine {
  /** Variables by which a task is recognized. */
  readonly index: string;
  /** Variables of which the first that is set says how many tasks there are. */
  readonly counts: readonly string[];
  /** Variables of the first task's index, and of the step between two tasks. */
  readonly first?: string;
  readonly step?: string;
  /** What to do where the index comes without a count. */
  readonly help: string;
}

const ENGINES: readonly Engine[] = [
  {
    index: 'SLURM_ARRAY_TASK_ID',
    counts: ['SLURM_ARRAY_TASK_COUNT'],
    first: 'SLURM_ARRAY_TASK_MIN',
    step: 'SLURM_ARRAY_TASK_STEP',
    help: 'give --shard',
  },
  {
    index: 'JOB_COMPLETION_INDEX',
    counts: ['JOB_COMPLETIONS'],
    help: "Kubernetes says the index alone: set JOB_COMPLETIONS to the job's completions in the container's env, or give --shard",
  },
  { index: 'OMPI_COMM_WORLD_RANK', counts: ['OMPI_COMM_WORLD_SIZE'], help: 'give --shard' },
  { index: 'PMI_RANK', counts: ['PMI_SIZE'], help: 'give --shard' },
  { index: 'PMIX_RANK', counts: ['SLURM_STEP_NUM_TASKS', 'PMIX_SIZE'], help: 'give --shard' },
];

/**
 * Which part of a job this process does: `i/n` where given, else what the environment of a Slurm array, a Kubernetes
 * indexed job (with JOB_COMPLETIONS set in its manifest), or a rank of Open MPI, PMI or PMIx says, else all of it.
 * @param text `i/n`, 1-based.
 * @param environment such as `process.env`.
 * @throws RangeError when the index is not within the count, or comes without one: each task would do the whole job.
 */
export function shardOf(text: string | undefined, environment: Environment): Shard {
  if (text !== undefined) {
    const [part, count] = /^\d+\/\d+$/.test(text) ? text.split('/').map(Number) : [0, 0];
    if (!(part >= 1 && part <= count)) {
      throw new RangeError(`--shard: expected i/n with 1 <= i <= n, got ${text}`);
    }
    return { index: part - 1, count };
  }
  const engine = ENGINES.find(({ index }) => environment[index] !== undefined);
  return engine === undefined ? { index: 0, count: 1 } : readEngine(engine, environment);
}

function readEngine({ index, counts, first, step, help }: Engine, environment: Environment): Shard {
  const counter = counts.find((name) => environment[name] !== undefined);
  if (counter === undefined) {
    throw new RangeError(
      `--shard: expected a number of parts beside ${index}=${environment[index]}, got no ${counts[0]} (${help})`,
    );
  }
  const numberOf = (name: string | undefined, fallback: number): number =>
    name === undefined || environment[name] === undefined ? fallback : Number(environment[name]);
  const count = Number(environment[counter]);
  const place = (numberOf(index, Number.NaN) - numberOf(first, 0)) / numberOf(step, 1);
  if (!(Number.isInteger(count) && Number.isInteger(place) && place >= 0 && place < count)) {
    const origin = first && environment[first] !== undefined ? `, ${first}=${environment[first]}` : '';
    throw new RangeError(
      `--shard: expected an index within the number of parts, got ${index}=${environment[index]} and ${counter}=${environment[counter]}${origin} (arrays must be a plain range such as 0-7; otherwise give --shard)`,
    );
  }
  return { index: place, count };
}

/** The items of a part: i, i + n, i + 2 n, ... of `length`. */
export function shardIndices(length: number, { index, count }: Shard): number[] {
  const indices: number[] = [];
  for (let i = index; i < length; i += count) indices.push(i);
  return indices;
}

/** The folder of one part of a packed set, beside those of the others; the set's own folder where there is one part. */
export function shardFolder({ index, count }: Shard): string {
  return count === 1 ? '' : `shard-${index}-of-${count}`;
}
