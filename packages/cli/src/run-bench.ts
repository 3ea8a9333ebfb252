import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { createRandom } from '@voxface/landmarks';
import { positive } from './convert-data.ts';
import { type Contestant, openContestants } from './open-contestants.ts';
import { createProgress } from './progress.ts';

/** Times of one contestant, milliseconds per face. */
interface Timing {
  readonly name: string;
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** Times models on backends in interleaved rounds and prints medians, quartiles and ratios to the first. */
export async function runBench(flags: Record<string, string>): Promise<void> {
  const batch = positive('--batch', flags.batch);
  const rounds = positive('--rounds', flags.rounds);
  const contestants = await openContestants(flags.models.split(','), flags.backends.split(','));
  const times = contestants.map((): number[] => []);
  const progress = createProgress('rounds', rounds);
  const random = createRandom(0);
  const crops = new Map<number, Uint8Array[]>();
  const cropsOf = ({ inputSize }: Contestant): Uint8Array[] => {
    const bytes = inputSize * inputSize * 3;
    const make = () => Uint8Array.from({ length: bytes }, () => random.integer(256));
    if (!crops.has(inputSize)) crops.set(inputSize, Array.from({ length: batch }, make));
    return crops.get(inputSize) as Uint8Array[];
  };
  for (const contestant of contestants) await contestant.run(cropsOf(contestant));
  for (let round = 0; round < rounds; round++) {
    for (const [i, contestant] of contestants.entries()) {
      const start = performance.now();
      await contestant.run(cropsOf(contestant));
      times[i].push((performance.now() - start) / batch);
    }
    progress.update(round + 1);
  }
  progress.finish();
  const timings = contestants.map(({ name }, i) => summarize(name, times[i]));
  for (const contestant of contestants) contestant.dispose();
  const table = formatTable(timings, batch, rounds);
  console.log(table);
  if (flags.markdown) await writeFile(flags.markdown, table);
  if (flags.json) await writeFile(flags.json, `${JSON.stringify({ batch, rounds, timings }, null, 1)}\n`);
}

function summarize(name: string, values: number[]): Timing {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q: number): number => sorted[Math.round(q * (sorted.length - 1))];
  return { name, median: at(0.5), low: at(0.25), high: at(0.75) };
}

function formatTable(timings: readonly Timing[], batch: number, rounds: number): string {
  const [first] = timings;
  const rows = timings.map(
    ({ name, median, low, high }) =>
      `| ${name} | ${median.toFixed(1)} | ${low.toFixed(1)} - ${high.toFixed(1)} | ${(1000 / median).toFixed(1)} | ${(first.median / median).toFixed(2)} |`,
  );
  return `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, Node ${process.version}, batch ${batch}, ${rounds} interleaved rounds

| model and backend | ms per face (median) | quartiles | faces/s | times as fast as the first |
|---|---|---|---|---|
${rows.join('\n')}
`;
}
