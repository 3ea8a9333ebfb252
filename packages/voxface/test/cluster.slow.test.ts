import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFixtures } from './photos.ts';

/** Photos of the large job; `VOXFACE_PHOTOS=100000` for the figures of docs/scaling.md. */
const COUNT = Number(process.env.VOXFACE_PHOTOS ?? 800);
const PARTS = 8;
const DEPLOY = fileURLToPath(new URL('../../../deploy/', import.meta.url));
// By its address: tasks start in other folders.
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const BUILT = process.env.VOXFACE_BUILT === '1';
/** From source, or as built (`VOXFACE_BUILT=1`): for long runs. */
const SOURCE = BUILT ? [] : ['--import', TSX, '--conditions=voxface-source'];
const BIN = fileURLToPath(new URL(BUILT ? '../dist/bin.js' : '../src/bin.ts', import.meta.url));
/** The command as recipes take it. */
const VOXFACE = [process.execPath, ...SOURCE, BIN].join(' ');

const answers = (program: string, ...args: string[]): boolean =>
  spawnSync(program, args, { timeout: 60_000 }).status === 0;
/** A Python that has Ray, which is no dependency of ours: VOXFACE_RAY_PYTHON=venv/bin/python. */
const PYTHON = process.env.VOXFACE_RAY_PYTHON ?? 'python3';

let fixtures: Awaited<ReturnType<typeof createFixtures>>;
const at = (name: string): string => fixtures.at(name);
const flags = (): string[] => ['--model', fixtures.model, '--box', '12,8,30,28', '--threads', '1'];

function writePhotos(folder: string, count: number): void {
  for (let i = 0; i < count; i++) {
    const inner = join(folder, String(i % 100));
    if (i < 100) mkdirSync(inner, { recursive: true });
    // A file has room for some 65 000 names.
    if (i % 10_000 === 0) {
      rmSync(at('linked.jpg'), { force: true });
      copyFileSync(at('good.jpg'), at('linked.jpg'));
    }
    linkSync(at('linked.jpg'), join(inner, `${i}.jpg`));
  }
}

const linesOf = (file: string): string[] => readFileSync(file, 'utf8').split('\n').filter(Boolean);

function expectEveryPhotoOnce(file: string, folder: string, count: number): void {
  const lines = linesOf(file).map((line) => {
    const { image, faces } = JSON.parse(line) as { image: { path: string }; faces?: unknown[] };
    return { path: image.path, faces: faces?.length };
  });
  expect(lines.length).toBe(count);
  expect(lines.every(({ faces }) => faces === 1)).toBe(true);
  const names = new Set(lines.map(({ path }) => path.replace(/^.*\//, '')));
  expect(names.size).toBe(count);
  expect(Array.from({ length: count }, (_, i) => names.has(`${i}.jpg`)).every(Boolean)).toBe(true);
  expect(lines.every(({ path }) => path.includes(folder))).toBe(true);
}

const lineCount = (file: string): number =>
  existsSync(file) ? readFileSync(file).reduce((sum, byte) => sum + (byte === 10 ? 1 : 0), 0) - 1 : 0;

/** Waits for a condition; false after `seconds`. */
async function until(condition: () => boolean, seconds: number): Promise<boolean> {
  for (const end = Date.now() + 1000 * seconds; Date.now() < end; ) {
    if (condition()) return true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return false;
}

beforeAll(async () => {
  fixtures = await createFixtures();
});
afterAll(() => rmSync(fixtures.root, { recursive: true }));

describe(`${COUNT} photos in ${PARTS} parts`, () => {
  test(
    'three of them killed and started again: every photo once, in flat memory, merged exactly',
    async () => {
      writePhotos(at('many'), COUNT);
      const out = at('many.jsonl');
      const partOf = (i: number): string => at(`many.part-${i}-of-${PARTS}.jsonl`);
      const rss: number[][] = [];
      const start = (i: number): { child: ChildProcess; ended: Promise<number | null> } => {
        const args = ['localize', at('many'), '--out', out, ...flags(), '--shard', `${i}/${PARTS}`];
        const child = spawn(process.execPath, [...SOURCE, BIN, ...args], { stdio: 'ignore' });
        const samples: number[] = [];
        rss.push(samples);
        const timer = setInterval(() => {
          // Past the start, when networks are open and caches full.
          if (lineCount(`${partOf(i)}.unfinished`) < COUNT / PARTS / 5) return;
          try {
            // A process that has just ended has no such line.
            const resident = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
            if (resident !== undefined) samples.push(Number(resident));
          } catch {}
        }, 1000);
        const ended = new Promise<number | null>((resolve) => {
          child.on('exit', (code) => {
            clearInterval(timer);
            resolve(code);
          });
        });
        return { child, ended };
      };
      let kills = 0;
      for (let i = 1; i <= PARTS; i++) {
        const { child, ended } = start(i);
        if (i % 3 === 1) {
          const unfinished = `${partOf(i)}.unfinished`;
          const third = COUNT / PARTS / 3;
          expect(await until(() => lineCount(unfinished) > third, 3000)).toBe(true);
          child.kill('SIGKILL');
          expect(await ended).toBeNull();
          kills += 1;
          const kept = lineCount(unfinished);
          expect(kept).toBeLessThan(COUNT / PARTS);
          expect(await start(i).ended).toBe(0);
        } else expect(await ended).toBe(0);
        expect(lineCount(partOf(i))).toBe(COUNT / PARTS);
      }
      expect(kills).toBe(3);
      // The first line of a part is its head; the others begin with the photo's place in the job.
      const parts = Array.from({ length: PARTS }, (_, i) => linesOf(partOf(i + 1)).slice(1));
      const merge = spawnSync(process.execPath, [...SOURCE, BIN, 'merge', out], { encoding: 'utf8' });
      expect(merge.stdout).toContain(`${COUNT} photos of ${PARTS} parts`);
      expectEveryPhotoOnce(out, 'many', COUNT);
      const misplaced = linesOf(out).filter(
        (line, k) => `{"index":${k},${line.slice(1)}` !== parts[k % PARTS][Math.floor(k / PARTS)],
      );
      expect(misplaced.length).toBe(0);
      // Megabytes of the longest attempt. A heap takes about a minute to find its size, and shrinks again later.
      const longest = rss
        .reduce((a, b) => (b.length > a.length ? b : a))
        .map((kilobytes) => kilobytes / 1024);
      const [most, end] = [Math.max(...longest), longest[longest.length - 1]];
      console.log(`memory of a part: at most ${most.toFixed(0)} MB, ${end.toFixed(0)} MB at its end`);
      expect(most).toBeLessThan(400);
    }, // Thirty minutes, or ten photos a second.
    Math.max(1_800_000, 100 * COUNT),
  );
});

describe.skipIf(!answers('sinfo'))('Slurm (needs a cluster that answers to sinfo)', () => {
  test('an array of the recipe, one task killed and requeued, merges to every photo once', async () => {
    writePhotos(at('slurm'), 400);
    const out = at('slurm.jsonl');
    const recipe = join(DEPLOY, 'slurm/localize.sbatch');
    const submit = spawnSync(
      'sbatch',
      ['--parsable', '--array=1-4', `--chdir=${fixtures.root}`, recipe, at('slurm'), out, ...flags()],
      { encoding: 'utf8', env: { ...process.env, VOXFACE } },
    );
    const job = submit.stdout.trim();
    expect(job, submit.stderr).toMatch(/^\d+$/);
    const unfinished = at('slurm.part-2-of-4.jsonl.unfinished');
    expect(await until(() => lineCount(unfinished) > 10, 600)).toBe(true);
    expect(spawnSync('scontrol', ['requeue', `${job}_2`]).status).toBe(0);
    const queued = (): string => spawnSync('squeue', ['-h', '-j', job], { encoding: 'utf8' }).stdout.trim();
    expect(await until(() => queued() === '', 900)).toBe(true);
    expect(readFileSync(at(`localize-${job}_2.log`), 'utf8')).toMatch(/CANCELLED|REQUEUE/i);
    const merge = spawnSync(process.execPath, [...SOURCE, BIN, 'merge', out], { encoding: 'utf8' });
    expect(merge.stdout, merge.stderr).toContain('400 photos of 4 parts');
    expectEveryPhotoOnce(out, 'slurm', 400);
  });
});

describe.skipIf(!answers(PYTHON, '-c', 'import ray'))('Ray (needs a Python with ray)', () => {
  test('a task whose process is killed is started again, and the parts are merged', async () => {
    writePhotos(at('ray'), 200);
    const out = at('ray.jsonl');
    // The first attempt at part 2 dies in the middle.
    const killer = at('voxface-once');
    const script = `#!/bin/sh
case "$*" in *2/4) if mkdir ${at('died')} 2>/dev/null; then ${VOXFACE} "$@" & sleep 1
  while [ "$(wc -l < ${at('ray.part-2-of-4.jsonl.unfinished')} 2>/dev/null || echo 0)" -lt 10 ]; do sleep 0.1; done
  kill -9 $!; exit 137; fi;; esac
exec ${VOXFACE} "$@"
`;
    writeFileSync(killer, script, { mode: 0o755 });
    const args = [join(DEPLOY, 'ray/shards.py'), '4', 'localize', at('ray'), '--out', out, ...flags()];
    const run = spawn(PYTHON, args, { env: { ...process.env, VOXFACE: killer, RAY_DEDUP_LOGS: '0' } });
    let output = '';
    for (const stream of [run.stdout, run.stderr])
      stream.on('data', (text) => {
        output += text;
      });
    const code = await new Promise((resolve) => run.on('close', resolve));
    expect(existsSync(at('died'))).toBe(true);
    expect(code, output).toBe(0);
    expectEveryPhotoOnce(out, 'ray', 200);
  });
});
