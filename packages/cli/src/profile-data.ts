import { spawn } from 'node:child_process';
import { type DatasetKind, openDataset } from '@voxface/datasets/node';
import { createProfiledSet, openFaceModel } from '@voxface/facefit/node';
import { positive } from './convert-data.ts';
import { UsageError, WorkError } from './errors.ts';
import { parseShard } from './run-evaluation.ts';

/** Fits every face of a dataset and writes its profiles as a packed set; with workers, one process per shard. */
export async function profileData(flags: Record<string, string>): Promise<void> {
  const workers = positive('--workers', flags.workers);
  if (workers > 1) {
    if (flags.shard)
      throw new UsageError('--workers: makes its own shards, got --shard as well (give one of them)');
    return runShards(workers);
  }
  const { first, step } = parseShard(flags.shard);
  const yaws = parseYaws(flags.yaws);
  const dataset = await openDataset(flags.root, { kind: flags.dataset as DatasetKind });
  const report = await createProfiledSet({
    dataset,
    model: await openFaceModel(flags.facekit),
    outDirectory: flags.out,
    yaws,
    unturned: (flags.unturned as unknown) !== false,
    size: positive('--size', flags.size),
    seed: Number(flags.seed),
    shard: flags.shard === undefined ? undefined : `${first}/${step}`,
    log: (line) => console.log(line),
  });
  for (const { id, message } of report.problems) console.error(`voxface: ${id}: ${message}`);
  console.log(
    `${report.directory}: ${report.images} pictures of ${report.faces} faces in ${report.seconds.toFixed(0)} s`,
  );
}

/** `none` is 0, `4x` four per face, otherwise a list of degrees. */
export function parseYaws(text: string): number | number[] {
  if (text === 'none') return 0;
  if (/^\d+x$/.test(text)) return Number.parseInt(text, 10);
  const yaws = text.split(',').map(Number);
  if (yaws.some((yaw) => !(Math.abs(yaw) <= 90))) {
    throw new UsageError(`--yaws: expected degrees from -90 to 90, a count such as 4x, or none, got ${text}`);
  }
  return yaws;
}

/** Runs this very command once per shard; fails when one of them does. */
async function runShards(count: number): Promise<void> {
  const args = process.argv.slice(1);
  const at = args.indexOf('--workers');
  args.splice(at, 2);
  const codes = await Promise.all(
    Array.from(
      { length: count },
      (_, i) =>
        new Promise<number>((resolve) => {
          const child = spawn(
            process.execPath,
            [...process.execArgv, ...args, '--shard', `${i + 1}/${count}`],
            {
              stdio: 'inherit',
            },
          );
          child.on('exit', (code) => resolve(code ?? 1));
        }),
    ),
  );
  const failed = codes.filter((code) => code !== 0).length;
  if (failed > 0)
    throw new WorkError(`${failed} of ${count} shards failed (run again: what is done is kept)`);
}
