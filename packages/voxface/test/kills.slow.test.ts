import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openPackedSet } from '@voxface/datasets/node';
import { createRandom } from '@voxface/landmarks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import golden from '../../facefit/test/golden/linear-basis.json' with { type: 'json' };
import { decodeCheckpoint } from '../../train/src/checkpoint.ts';
import { microConfig, readLosses } from '../../train/test/helpers/packed-faces.ts';
import { picture, ptsOf, writeFiles } from './annotated-folder.ts';
import { createFixtures } from './photos.ts';

// SIGKILL at random moments, from the start of the process to past its end, and the same command again until it is done. Nothing may be lost,
// doubled or half written. VOXFACE_KILLS per command, VOXFACE_KILLS_SEED, VOXFACE_BUILT=1 for the built command, which starts faster.

const KILLS = Number(process.env.VOXFACE_KILLS ?? 4);
const SEED = Number(process.env.VOXFACE_KILLS_SEED ?? Date.now() % 2 ** 31);
const built = process.env.VOXFACE_BUILT === '1';
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const BIN = fileURLToPath(new URL(built ? '../dist/bin.js' : '../src/bin.ts', import.meta.url));
const NODE = built ? [BIN] : ['--conditions=voxface-source', '--import', 'tsx', BIN];

interface Ended {
  /** null: killed. */
  readonly code: number | null;
  readonly output: string;
  readonly seconds: number;
}

/** Runs the command, and kills it after some seconds. */
function runFor(args: readonly string[], seconds = Number.POSITIVE_INFINITY): Promise<Ended> {
  const begin = performance.now();
  const child = spawn(process.execPath, [...NODE, ...args], { cwd: ROOT });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  const timer = Number.isFinite(seconds)
    ? setTimeout(() => child.kill('SIGKILL'), 1000 * seconds)
    : undefined;
  return new Promise((resolve) =>
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, output, seconds: (performance.now() - begin) / 1000 });
    }),
  );
}

interface Job {
  /** The command for a fresh or a begun output. */
  command(output: string): string[];
  /** What the output holds, to be compared with that of an uninterrupted run. */
  read(output: string): unknown;
  /** What must hold of an output that was left by a kill: no half file under a final name. */
  check(output: string): void;
}

/** Kills `count` times in all; jobs that end are compared and begun anew elsewhere. */
async function killRepeatedly(job: Job, folder: string, count: number, seed: number): Promise<void> {
  const random = createRandom(seed);
  const whole = await runFor(job.command(join(folder, 'whole')));
  expect(whole.code, whole.output).toBe(0);
  const expected = await job.read(join(folder, 'whole'));
  // The shortest run of a job so far: on a busy machine the first may have taken much longer.
  let [kills, jobs, usual] = [0, 0, whole.seconds];
  for (let output = join(folder, 'cut-0'); kills < count; output = join(folder, `cut-${jobs}`)) {
    for (let attempt = 0; ; attempt++) {
      // After many attempts, or when all kills are done, it may end.
      const mayEnd = kills >= count || attempt > 12;
      const ended = await runFor(job.command(output), mayEnd ? undefined : usual * random.uniform(0.1, 1.1));
      if (ended.code === null) {
        kills += 1;
        if (existsSync(output)) job.check(output);
        continue;
      }
      expect(ended.code, ended.output).toBe(0);
      if (attempt === 0) usual = Math.min(usual, ended.seconds);
      break;
    }
    expect(await job.read(output), `${output}, seed ${seed}`).toEqual(expected);
    rmSync(output, { recursive: true });
    jobs += 1;
  }
  console.log(
    `${kills} kills, ${jobs} jobs ended equal to an uninterrupted one, seconds ${usual.toFixed(1)}, seed ${seed}`,
  );
}

const roots: string[] = [];
let fixtures: Awaited<ReturnType<typeof createFixtures>>;
let faces: string;
beforeAll(async () => {
  fixtures = await createFixtures();
  const jpeg = await picture();
  const files: Record<string, string | Uint8Array> = {
    'tiny.npz': Buffer.from(golden.flame, 'base64'),
  };
  for (let i = 0; i < 24; i++) {
    files[`faces/${i}.jpg`] = jpeg;
    // Each face its own size, so that a sample in another's place is seen.
    files[`faces/${i}.pts`] = ptsOf((row) => row.replace(/\d(?= )/, String(i % 10)));
  }
  for (let i = 0; i < 120; i++) files[`photos/${i % 7}/${i}.jpg`] = readFileSync(fixtures.at('good.jpg'));
  faces = writeFiles(files);
  roots.push(fixtures.root, faces);
});
afterAll(() => {
  for (const root of roots) rmSync(root, { recursive: true });
});

const partialNames = (folder: string): string[] =>
  (readdirSync(folder, { recursive: true }) as string[]).filter((name) =>
    /\.(tmp|lock|unfinished|part)$/.test(name),
  );

async function readSet(folder: string): Promise<unknown> {
  const set = await openPackedSet(folder);
  const samples = await Promise.all(set.ids.map((_, i) => set.load(i)));
  return samples.map(({ id, landmarks, box, image }) => ({ id, landmarks, box, image }));
}

const isWholeJson = (file: string): void => void JSON.parse(readFileSync(file, 'utf8'));

/** A set under its final name opens; one that does not is not there yet. */
const checkSet = (folder: string): void => {
  if (existsSync(join(folder, 'set.json'))) isWholeJson(join(folder, 'set.json'));
};

describe(`${KILLS} kills of each command`, () => {
  const limit = 600_000 + 60_000 * KILLS;

  test('train goes on to the weights and losses of an uninterrupted run', { timeout: limit }, async () => {
    const config = await microConfig({
      logEvery: 1,
      checkpointEvery: 1,
      stages: [
        { kind: 'pretrain', steps: 6 },
        { kind: 'adversarial', steps: 6 },
      ],
    });
    const folder = `${config.output}-kills`;
    mkdirSync(folder);
    roots.push(folder);
    const checkpoints = (output: string): string[] =>
      existsSync(join(output, 'checkpoints'))
        ? readdirSync(join(output, 'checkpoints')).filter((name) => /^step-\d+\.ckpt$/.test(name))
        : [];
    const job: Job = {
      command(output) {
        const file = `${output}.json`;
        writeFileSync(file, JSON.stringify({ ...config, output }));
        return ['train', file, ...(checkpoints(output).length > 0 ? ['--resume', output] : [])];
      },
      read: async (output) => ({
        losses: await readLosses(output),
        weights: ['estimator', 'regressor', 'discriminator'].map((network) =>
          readFileSync(join(output, 'model', network, 'weights.bin')).toString('base64'),
        ),
        partial: partialNames(output),
      }),
      check(output) {
        for (const name of checkpoints(output))
          decodeCheckpoint(readFileSync(join(output, 'checkpoints', name)), name);
      },
    };
    await killRepeatedly(job, folder, KILLS, SEED);
  });

  test('data convert ends with the same set', { timeout: limit }, async () => {
    const folder = join(faces, 'convert');
    mkdirSync(folder);
    await killRepeatedly(
      {
        command: (output) => ['data', 'convert', join(faces, 'faces'), output, '--kind', '300w', '--resume'],
        read: async (output) => ({ samples: await readSet(output), partial: partialNames(output) }),
        check: checkSet,
      },
      folder,
      KILLS,
      SEED + 1,
    );
  });

  test('data profile ends with the same set', { timeout: limit }, async () => {
    const folder = join(faces, 'profile');
    mkdirSync(folder);
    const flags = ['--dataset', '300w', '--root', join(faces, 'faces'), '--facekit', join(faces, 'tiny.npz')];
    await killRepeatedly(
      {
        command: (output) => ['data', 'profile', ...flags, '--out', output, '--yaws', '45', '--size', '32'],
        read: async (output) => ({ samples: await readSet(output), partial: partialNames(output) }),
        check: checkSet,
      },
      folder,
      KILLS,
      SEED + 2,
    );
  });

  const localize = (out: string, ...flags: string[]): string[] => [
    'localize',
    join(faces, 'photos'),
    ...['--out', out, '--model', fixtures.model, '--box', '12,8,30,28', '--threads', '1', ...flags],
  ];

  test('localize into a folder ends with the same files', { timeout: limit }, async () => {
    const folder = join(faces, 'localize');
    mkdirSync(folder);
    const results = (output: string): string[] =>
      (readdirSync(output, { recursive: true }) as string[]).sort();
    await killRepeatedly(
      {
        command: (output) => localize(output, '--resume'),
        read: (output) =>
          results(output).map((name) => [
            name,
            name.endsWith('.json') ? readFileSync(join(output, name), 'utf8') : '',
          ]),
        check(output) {
          for (const name of results(output)) if (name.endsWith('.json')) isWholeJson(join(output, name));
        },
      },
      folder,
      KILLS,
      SEED + 3,
    );
  });

  test('localize into one file ends with the same lines', { timeout: limit }, async () => {
    const folder = join(faces, 'lines');
    mkdirSync(folder);
    await killRepeatedly(
      {
        command(output) {
          mkdirSync(output, { recursive: true });
          return localize(join(output, 'found.jsonl'), '--resume');
        },
        read: (output) => ({
          lines: readFileSync(join(output, 'found.jsonl'), 'utf8'),
          names: readdirSync(output),
        }),
        check(output) {
          if (!existsSync(join(output, 'found.jsonl'))) return;
          const lines = readFileSync(join(output, 'found.jsonl'), 'utf8').trim().split('\n');
          expect(lines.map((line) => JSON.parse(line))).toHaveLength(120);
        },
      },
      folder,
      KILLS,
      SEED + 4,
    );
  });
});
