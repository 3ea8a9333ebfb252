import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createRecordDataset, type Dataset } from '@voxface/datasets';
import { openPackedSet } from '@voxface/datasets/node';
import {
  applySimilarity,
  boxOf,
  createRandom,
  fitSimilarity,
  IBUG_68,
  type Landmarks,
  type Pixels,
  rotationOfPose,
} from '@voxface/landmarks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FaceModel } from '../src/index.ts';
import { createProfiledSet, type ProfiledSetOptions } from '../src/node.ts';
import { openTinyFace } from './tiny-face.ts';

const [WIDTH, HEIGHT] = [150, 170];
const root = mkdtempSync(path.join(tmpdir(), 'voxface-'));
afterAll(() => rmSync(root, { recursive: true }));

let model: FaceModel;
beforeAll(async () => {
  model = await openTinyFace();
});

/** Landmarks [68, 2] of the made-up face, another identity and pose for every index. */
function synthesize(index: number): Landmarks<2> {
  const random = createRandom(40 + index);
  const rotation = rotationOfPose({ yaw: random.uniform(-25, 25), pitch: random.uniform(-8, 8), roll: 3 });
  const weight = random.uniform(-1, 1);
  const points = new Float32Array(136);
  model.landmarks.forEach((vertex, i) => {
    const at = [0, 1, 2].map(
      (axis) => model.mean[3 * vertex + axis] + weight * model.identity.offsets[3 * vertex + axis],
    );
    for (let axis = 0; axis < 2; axis++) {
      const [x, y, z] = rotation.slice(3 * axis, 3 * axis + 3);
      points[2 * i + axis] = 45 * (x * at[0] + y * at[1] + z * at[2]) + [WIDTH / 2, HEIGHT / 2 - 8][axis];
    }
  });
  return { points, dims: 2 };
}

/** A grey picture with a soft red dot at each of the given landmarks. */
function draw({ points }: Landmarks<2>, dots: readonly number[]): Pixels {
  const data = new Uint8Array(WIDTH * HEIGHT * 3).fill(70);
  for (const i of dots) {
    for (let y = 0; y < HEIGHT; y++) {
      for (let x = 0; x < WIDTH; x++) {
        const weight = Math.exp(-((x - points[2 * i]) ** 2 + (y - points[2 * i + 1]) ** 2) / 6);
        data[3 * (y * WIDTH + x)] += 180 * weight;
      }
    }
  }
  return { data, width: WIDTH, height: HEIGHT, channels: 3 };
}

/** Photos of the made-up face; `s2` cannot be read when `broken`. */
function photos(count: number, dots: readonly number[] = [30, 36, 45, 48, 54], broken = false): Dataset<2> {
  return createRecordDataset({
    name: 'synthetic',
    scheme: IBUG_68,
    dims: 2,
    ids: Array.from({ length: count }, (_, i) => `s${i}`),
    annotate: (i) => {
      const landmarks = synthesize(i);
      const provenance = { dataset: 'synthetic', files: [], conversions: [] };
      return { id: `s${i}`, landmarks, scheme: IBUG_68, box: boxOf(landmarks), provenance };
    },
    readImage: async (i) => Uint8Array.of(i),
    decode: async ([i]) => {
      if (broken && i === 2) throw new Error('decode: a broken picture');
      return draw(synthesize(i), dots);
    },
  });
}

async function create(name: string, options: Partial<ProfiledSetOptions> = {}) {
  const outDirectory = path.join(root, name);
  const settings = {
    dataset: photos(4),
    model,
    outDirectory,
    yaws: 2,
    size: 64,
    seed: 5,
    fit: { jaw: 'vertices' },
  };
  return createProfiledSet({ ...settings, ...options } as ProfiledSetOptions);
}

/** Everything a set holds, by id. */
async function contentOf(folder: string): Promise<Map<string, unknown>> {
  const set = await openPackedSet(folder);
  const rows = await Promise.all(
    set.ids.map(async (id, i) => {
      const { image, landmarks, yaw, box, provenance } = await set.load(i);
      return [id, { image, points: [...landmarks.points], yaw, box, provenance }] as const;
    }),
  );
  return new Map(rows.sort(([a], [b]) => a.localeCompare(b)));
}

describe('createProfiledSet', () => {
  it('is the same for a seed, after an interruption, and in shards', async () => {
    const whole = await create('whole');
    expect(whole).toMatchObject({ faces: 4, images: 12, problems: [] });
    const expected = await contentOf(path.join(root, 'whole'));
    expect(expected.size).toBe(12);

    await create('again');
    expect(await contentOf(path.join(root, 'again'))).toEqual(expected);

    const controller = new AbortController();
    const stopped = photos(4);
    const load = stopped.load;
    stopped.load = async (i) => {
      if (i === 2) controller.abort();
      return load(i);
    };
    const first = await create('stopped', { dataset: stopped, signal: controller.signal });
    expect(first.faces).toBe(3);
    expect(await create('stopped')).toMatchObject({ faces: 4, images: 3 });
    expect(await create('stopped')).toMatchObject({ faces: 4, images: 0 });
    expect(await contentOf(path.join(root, 'stopped'))).toEqual(expected);

    for (const index of [0, 1]) await create('shards', { shard: { index, count: 2 } });
    expect(readdirSync(path.join(root, 'shards')).sort()).toEqual(['shard-0-of-2', 'shard-1-of-2']);
    expect(await contentOf(path.join(root, 'shards'))).toEqual(expected);

    await create('other', { seed: 6 });
    expect(await contentOf(path.join(root, 'other'))).not.toEqual(expected);
  });

  it('goes on after a run that was killed between two pictures of a face', async () => {
    await create('killed', { dataset: photos(2) });
    const expected = await contentOf(path.join(root, 'killed'));
    const { appendFile, truncate, writeFile, rm } = await import('node:fs/promises');
    const file = (name: string): string => path.join(root, 'killed', name);
    // As a killed run leaves it: journal cut within the fifth sample, second face not complete, no set.json.
    const lines = readFileSync(file('samples.jsonl'), 'utf8').split(/(?<=\n)/);
    await writeFile(file('samples.jsonl'), lines.slice(0, 4).join('') + lines[4].slice(0, 40));
    await rm(file('set.json'));
    await writeFile(file('complete.txt'), 's0\n');
    await truncate(file('images.bin'), JSON.parse(lines[4]).offset + 100);
    await appendFile(file('images.bin'), 'rest of a torn write');
    expect(await create('killed', { dataset: photos(2) })).toMatchObject({ faces: 2 });
    expect(await contentOf(path.join(root, 'killed'))).toEqual(expected);
  });

  it('leaves out faces that cannot be read, by name, and writes the rest', async () => {
    const lines: string[] = [];
    const report = await create('broken', {
      dataset: photos(4, [30], true),
      log: (line) => lines.push(line),
    });
    expect(report.problems).toEqual([{ id: 's2', message: 'decode: a broken picture' }]);
    expect(report.faces).toBe(3);
    expect(lines).toContain('left out s2: decode: a broken picture');
    const set = await openPackedSet(path.join(root, 'broken'));
    expect(set.ids).toEqual(['s0', 's1', 's3'].flatMap((id) => [id, `${id}_p1`, `${id}_p2`]));
  });

  it('refuses to mix settings in one folder', async () => {
    await create('mixed', { dataset: photos(1) });
    await expect(create('mixed', { dataset: photos(1), yaws: [60] })).rejects.toThrow(
      /was begun with .*"yaws":2.*, got .*"yaws":\[60\].* \(the same settings, or another folder\)/,
    );
  });

  it.each([
    [-40, 54, 1],
    [30, 48, 1],
    [55, 36, 1],
    // With the labels of a face deeper by seven tenths the picture has to turn at that depth.
    [-40, 54, 1.7],
    [55, 36, 1.7],
    [30, 48, 1.7],
  ])(
    'landmarks move with the picture: at yaw %d a dot on landmark %d, labels %d times as deep',
    async (yaw, landmark, depth) => {
      const name = `dot${yaw}-${landmark}-${depth}`;
      const labels = depth === 1 ? undefined : deepened(depth);
      await create(name, {
        dataset: photos(2, [landmark]),
        yaws: [yaw],
        size: 128,
        ...(labels && { labels }),
      });
      const set = await openPackedSet(path.join(root, name));
      expect(set.length).toBe(4);
      for (let i = 0; i < set.length; i++) {
        const { image, landmarks } = await set.load(i);
        let [sum, sumX, sumY] = [0, 0, 0];
        for (let at = 0; at < image.width * image.height; at++) {
          const light = Math.max(0, image.data[3 * at] - image.data[3 * at + 1] - 40);
          sum += light;
          sumX += light * (at % image.width);
          sumY += light * Math.floor(at / image.width);
        }
        const { points } = landmarks;
        const [x, y] = points.subarray(3 * landmark);
        expect(Math.hypot(sumX / sum - x, sumY / sum - y)).toBeLessThan(1.5);
        const mean = points.filter((_, k) => k % 3 === 2).reduce((a, b) => a + b) / 68;
        expect(Math.abs(mean)).toBeLessThan(1e-3);
      }
      // A view's landmarks are those of the photo, turned: one shape, another pose.
      for (const i of [0, 2]) {
        const [photo, view] = [await set.load(i), await set.load(i + 1)];
        const turned = applySimilarity(photo.landmarks, fitSimilarity(photo.landmarks, view.landmarks));
        const apart = turned.points.map((value, k) => Math.abs(value - view.landmarks.points[k]));
        expect(Math.max(...apart)).toBeLessThan(0.05);
      }
    },
  );
});

/** The made-up face with another depth. */
function deepened(depth: number): FaceModel {
  const mean = model.mean.map((value, k) => (k % 3 === 2 ? depth * value : value));
  return { ...model, name: 'deeper', mean };
}
