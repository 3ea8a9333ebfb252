import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchSection, BenchSettings } from 'voxface/bench';
import { REPOSITORY, runProgram, runSource } from './repository.ts';

/** Folders with `*.bench.ts` files. */
const BENCHES = ['packages/volume/bench', 'packages/metrics/bench', 'packages/backend/bench'];

interface VitestReport {
  files: {
    groups: {
      fullName: string;
      benchmarks: { name: string; mean: number; min: number; rme: number }[];
    }[];
  }[];
}

/** Volume encoding, metrics and kernels by the packages' own benchmarks; reading and augmenting photos. */
export async function benchParts(settings: BenchSettings): Promise<BenchSection[]> {
  return [await benchPackages(), await benchPipeline(settings)];
}

async function benchPackages(): Promise<BenchSection> {
  const folder = await mkdtemp(join(tmpdir(), 'voxface-bench-'));
  const report = join(folder, 'report.json');
  try {
    const vitest = join(REPOSITORY, 'node_modules/vitest/vitest.mjs');
    const flags = ['bench', '--run', '--project', 'unit', '--outputJson', report, ...BENCHES];
    await runProgram(process.execPath, [vitest, ...flags]);
    const { files } = JSON.parse(await readFile(report, 'utf8')) as VitestReport;
    const rows = files.flatMap(({ groups }) =>
      groups.flatMap(({ fullName, benchmarks }) =>
        benchmarks.map(({ name, mean, min, rme }) => [
          `${fullName.split(' > ').slice(1).join(', ')}: ${name}`,
          mean.toPrecision(3),
          min.toPrecision(3),
          `±${rme.toFixed(1)} %`,
        ]),
      ),
    );
    const head = ['what', 'mean ms', 'best ms', 'uncertainty of the mean'];
    return { title: 'Volumes, metrics and kernels', rows: [head, ...rows], notes: [] };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function benchPipeline({ threads }: BenchSettings): Promise<BenchSection> {
  const title = 'Reading, decoding, augmenting and encoding photos of 300W';
  try {
    const output = await runSource('packages/datasets/bench/pipeline.ts', [String(threads)]);
    return { title, notes: output.trim().split('\n') };
  } catch (error) {
    return { title, notes: [`skipped: ${(error as Error).message}`] };
  }
}
