import { createProgress } from '../progress.ts';

/** Milliseconds of one run: by the clock, and of all threads of the process. */
export interface Duration {
  readonly wall: number;
  readonly cpu: number;
}

/** Something that is timed against others. */
export interface Candidate {
  readonly name: string;
  /** Does the work once; returns its own timing if it runs in another process. */
  run(): Promise<Duration | undefined>;
  close(): Promise<void> | void;
}

/** Median and quartiles. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** The times of one candidate per unit of work; ratios are relative to the first candidate. */
export interface Timing {
  readonly name: string;
  readonly rounds: number;
  readonly wall: Spread;
  readonly cpu: Spread;
  readonly ratio: Spread;
  readonly cpuRatio: Spread;
}

/** A candidate whose runs took this long in total drops out; its times so far are kept. */
const PATIENCE_MS = 60_000;

/**
 * Runs candidates in turn, so that other load on the machine affects all of them alike.
 * @param units pieces of work in one run, by which times are divided.
 */
export async function runRounds(
  candidates: readonly Candidate[],
  rounds: number,
  units = 1,
): Promise<Timing[]> {
  const times = candidates.map((): Duration[] => []);
  const spent = candidates.map(() => 0);
  const progress = createProgress('rounds', rounds);
  const WARM_UP = 2;
  for (let round = -WARM_UP; round < rounds; round++) {
    for (const [i, candidate] of candidates.entries()) {
      if (spent[i] > PATIENCE_MS && times[i].length > 0) continue;
      const { wall, cpu } = await timeRun(candidate);
      spent[i] += wall;
      // A candidate too slow for two warm-up runs is timed from the first run.
      if (round >= 0 || spent[i] > PATIENCE_MS / 4) times[i].push({ wall: wall / units, cpu: cpu / units });
    }
    progress.update(Math.max(0, round + 1));
  }
  progress.finish();
  return candidates.map(({ name }, i) => summarize(name, times[i], times[0]));
}

async function timeRun(candidate: Candidate): Promise<Duration> {
  const busy = process.cpuUsage();
  const start = performance.now();
  const own = await candidate.run();
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(busy);
  return own ?? { wall, cpu: (user + system) / 1000 };
}

function summarize(name: string, own: readonly Duration[], first: readonly Duration[]): Timing {
  const common = Math.min(own.length, first.length);
  const ratios = (key: keyof Duration): Spread =>
    spreadOf(own.slice(-common).map((time, i) => time[key] / first.slice(-common)[i][key]));
  return {
    name,
    rounds: own.length,
    wall: spreadOf(own.map(({ wall }) => wall)),
    cpu: spreadOf(own.map(({ cpu }) => cpu)),
    ratio: ratios('wall'),
    cpuRatio: ratios('cpu'),
  };
}

/** Median and quartiles of some values. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q: number): number => sorted[Math.round(q * (sorted.length - 1))];
  return { median: at(0.5), low: at(0.25), high: at(0.75) };
}
