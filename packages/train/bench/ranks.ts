/**
 * Two MPI ranks against two worker threads, the same run in turns: median step of each round.
 * Run with `node --import tsx --conditions=voxface-source packages/train/bench/ranks.ts [rounds]`, after a build.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { microConfig } from '../test/helpers/packed-faces.ts';

const COMMAND = fileURLToPath(new URL('../../voxface/dist/bin.js', import.meta.url));
const MPIRUN = ['mpirun', '--allow-run-as-root', '--oversubscribe', '--bind-to', 'none', '-n', '2'];
/** Steps in which programs are recorded and memory is taken. */
const WARM_UP = 4;

const config = await microConfig({
  backend: 'wasm',
  model: { preset: 'tiny', landmarks: 5, scheme: 'five' },
  batchSize: 8,
  stages: [{ kind: 'finetune', steps: 24 }],
  evaluateEvery: 1000,
  checkpointEvery: 1000,
});
const rounds = Number(process.argv[2] ?? 3);
for (let round = 0; round < rounds; round++) {
  const times = new Map<string, number>();
  const names = round % 2 === 0 ? ['threads', 'ranks'] : ['ranks', 'threads'];
  for (const name of names) times.set(name, medianStep(name));
  const [threads, ranks] = [times.get('threads')!, times.get('ranks')!];
  console.log(
    `threads ${threads.toFixed(0)} ms, ranks ${ranks.toFixed(0)} ms, ratio ${(ranks / threads).toFixed(3)}`,
  );
}

function medianStep(name: string): number {
  const output = `${config.output}-${name}`;
  rmSync(output, { recursive: true, force: true });
  const file = `${output}.json`;
  writeFileSync(file, JSON.stringify({ ...config, output, workers: name === 'threads' ? 2 : 1 }));
  const line = [...(name === 'ranks' ? MPIRUN : []), process.execPath, COMMAND, 'train', file];
  const { status, stderr } = spawnSync(line[0], line.slice(1), { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ranks: the run of ${name} failed: ${stderr}`);
  const totals = readFileSync(`${output}/log.jsonl`, 'utf8')
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text))
    .filter(({ type }) => type === 'step')
    .slice(WARM_UP)
    .map(({ times }) => times.total as number)
    .sort((a, b) => a - b);
  return totals[totals.length >> 1];
}
