import { type ChildProcess, spawn } from 'node:child_process';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openPackedSet } from '@voxface/datasets/node';
import sharp from 'sharp';
import { afterAll, expect, test } from 'vitest';
import { writeFiles } from './annotated-folder.ts';

/** Samples: `VOXFACE_SAMPLES=300000 VOXFACE_BUILT=1` where there is time. */
const COUNT = Number(process.env.VOXFACE_SAMPLES ?? 3000);
const PICTURES = 100;
const built = process.env.VOXFACE_BUILT === '1';
const BIN = fileURLToPath(new URL(built ? '../dist/bin.js' : '../src/bin.ts', import.meta.url));
const NODE = built ? [BIN] : ['--conditions=voxface-source', '--import', 'tsx', BIN];
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

const decodes = process.env.VOXFACE_DECODE !== '0';
const root = writeFiles({});
afterAll(() => rmSync(root, { recursive: true }));

/** A CSV of many faces on few pictures of 60 x 60. */
async function writeFaces(): Promise<void> {
  mkdirSync(join(root, 'p'));
  for (let i = 0; i < PICTURES; i++) {
    const background = { r: i, g: 90, b: 200 - i };
    await sharp({ create: { width: 60, height: 60, channels: 3, background } })
      .jpeg()
      .toFile(join(root, `p/${i}.jpg`));
  }
  const columns = Array.from({ length: 68 }, (_, i) => `x${i},y${i}`);
  if (!decodes) return;
  writeFileSync(join(root, 'faces.csv'), `image,${columns}\n`);
  for (let i = 0; i < COUNT; ) {
    const rows: string[] = [];
    for (const end = Math.min(COUNT, i + 5000); i < end; i++) {
      const points = Array.from({ length: 136 }, (_, k) => 10 + ((k * 7 + i) % 40));
      rows.push(`p/${i % PICTURES}.jpg,${points}`);
    }
    await appendFile(join(root, 'faces.csv'), `${rows.join('\n')}\n`);
  }
}

const bytesIn = (file: string): number => (existsSync(file) ? statSync(file).size : 0);

test(
  `${COUNT} samples are converted in flat memory, with a kill and a resume`,
  async () => {
    await writeFaces();
    const out = join(root, 'set');
    // The command decodes every picture; without that (VOXFACE_DECODE=0) more samples are written in the same time.
    const program = `
      import { readFileSync } from 'node:fs';
      import { FIVE_POINTS } from '@voxface/landmarks';
      import { convertDataset } from '@voxface/datasets/node';
      const pictures = Array.from({ length: ${PICTURES} }, (_, i) => readFileSync('${join(root, 'p')}/' + i + '.jpg'));
      const load = async (i) => {
        const points = Float32Array.from({ length: 10 }, (_, k) => 10 + ((k * 7 + i) % 40));
        return { id: 'face-' + i, landmarks: { points, dims: 2 }, scheme: FIVE_POINTS, box: { x: 9, y: 9, width: 42, height: 42 },
          provenance: { dataset: 'many', files: [], conversions: [] } };
      };
      const dataset = { name: 'many', scheme: FIVE_POINTS, dims: 2, length: ${COUNT}, ids: Array.from({ length: ${COUNT} }, (_, i) => 'face-' + i),
        annotate: load, load, loadEncoded: async (i) => ({ ...(await load(i)), encoded: new Uint8Array(pictures[i % ${PICTURES}]) }) };
      await convertDataset(dataset, '${out}', { resume: true });`;
    const start = (): { child: ChildProcess; ended: Promise<number | null>; memory: number[] } => {
      const args = decodes
        ? [...NODE, 'data', 'convert', join(root, 'faces.csv'), out, '--kind', 'keypoint-csv', '--resume']
        : [...NODE.slice(0, -1), '--input-type=module', '-e', program];
      const child = spawn(process.execPath, args, {
        cwd: join(ROOT, 'packages/voxface'),
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      const memory: number[] = [];
      const timer = setInterval(() => {
        try {
          const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
          // Once it writes.
          const resident = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
          // A process that is ending has none.
          if (bytesIn(join(out, 'samples.jsonl')) > 0 && resident > 0) memory.push(resident / 1024);
        } catch {}
      }, 500);
      const ended = new Promise<number | null>((resolve) => {
        child.on('exit', (code) => {
          clearInterval(timer);
          resolve(code);
        });
      });
      return { child, ended, memory };
    };
    const begin = performance.now();
    const first = start();
    // A line takes some 900 bytes, or 250.
    while (bytesIn(join(out, 'samples.jsonl')) < COUNT * (decodes ? 250 : 60))
      await new Promise((resolve) => setTimeout(resolve, 50));
    first.child.kill('SIGKILL');
    expect(await first.ended).toBeNull();
    expect(existsSync(join(out, 'set.json'))).toBe(false);
    const { ended, memory } = start();
    expect(await ended).toBe(0);
    const seconds = (performance.now() - begin) / 1000;
    const quarter = Math.max(1, memory.length >> 2);
    const median = (values: number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
    const [early, late] = [median(memory.slice(0, quarter)), median(memory.slice(-quarter))];
    console.log(
      `${COUNT} samples in ${seconds.toFixed(0)} s with a kill; memory after the resume ${early.toFixed(0)} MB early, ${late.toFixed(0)} MB late, ${Math.max(...memory).toFixed(0)} MB at most`,
    );

    const ids = new Set<string>();
    let wrong = 0;
    const set = await openPackedSet(out);
    expect(set.length).toBe(COUNT);
    for (let k = 0; k < COUNT; k += Math.max(1, Math.floor(COUNT / 500))) {
      const { landmarks, image } = await set.load(k);
      if (landmarks.points[1] !== 10 + ((7 + k) % 40) || Math.abs(image.data[0] - (k % PICTURES)) > 6)
        wrong += 1;
    }
    for (const id of set.ids) ids.add(id);
    expect(ids.size).toBe(COUNT);
    expect(wrong).toBe(0);
    let lines = 0;
    for await (const line of createInterface({ input: createReadStream(join(out, 'samples.jsonl')) }))
      if (line) lines += 1;
    expect(lines).toBeLessThanOrEqual(COUNT);
    // The heap finds its size; what grows with the samples are their identifiers alone.
    expect(late - early).toBeLessThan(100);
  },
  Math.max(1_800_000, 20 * COUNT),
);
