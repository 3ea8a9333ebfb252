import { spawn } from 'node:child_process';
import {
  appendFile,
  chmod,
  mkdir,
  readdir,
  readFile,
  rm,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { IBUG_68 } from '@voxface/landmarks';
import { describe, expect, it } from 'vitest';
import type { PackedSample } from '../src/index.ts';
import {
  convertDataset,
  createPackedSetWriter,
  LOCK_FILE,
  lockFolder,
  openPackedSet,
  type PackedSetWriterOptions,
} from '../src/node.ts';
import { syntheticAnnotation, syntheticJpeg } from './synthetic.ts';
import { writeFolder } from './synthetic-folder.ts';

const HEAD = { name: 'tiny', dims: 2, scheme: IBUG_68 } as const;

async function addSamples(
  dir: string,
  seeds: readonly number[],
  options: PackedSetWriterOptions = {},
  finish: 'close' | 'abandon' = 'close',
): Promise<void> {
  const writer = await createPackedSetWriter(dir, HEAD, options);
  for (const seed of seeds) {
    const annotation = syntheticAnnotation(seed);
    if (!writer.ids.has(annotation.id)) await writer.add(annotation, await syntheticJpeg(seed, 160, 120));
  }
  await writer[finish]();
}

const decodeFirst = async (dir: string) => (await openPackedSet(dir)).load(0);

const bytesOf = (dir: string) =>
  Promise.all(
    ['set.json', 'samples.jsonl', 'images.bin'].map(async (name) => [
      name,
      (await readFile(path.join(dir, name))).toString('base64'),
    ]),
  );

describe('packed sets', () => {
  it('may hold decoded pictures: the same pixels, which convert back to image files', async () => {
    const [jpegs, decoded, again] = await Promise.all([writeFolder({}), writeFolder({}), writeFolder({})]);
    await addSamples(jpegs, [1, 2, 3]);
    await convertDataset(jpegs, path.join(decoded, 'set'), { decoded: true });
    const [before, set] = [await openPackedSet(jpegs), await openPackedSet(path.join(decoded, 'set'))];
    for (let i = 0; i < 3; i++) {
      const [{ image, landmarks }, found] = await Promise.all([before.load(i), set.load(i)]);
      expect([found.image.width, found.image.height]).toEqual([160, 120]);
      expect(Buffer.from(found.image.data).equals(Buffer.from(image.data))).toBe(true);
      expect(found.landmarks).toEqual(landmarks);
      expect((await set.loadEncoded!(i)).encoded).toHaveLength(16 + 160 * 120 * 3);
    }
    // As it is, and cut: encoded again.
    await convertDataset(path.join(decoded, 'set'), path.join(again, 'same'));
    expect((await openPackedSet(path.join(again, 'same'))).ids).toEqual(before.ids);
    await convertDataset(path.join(decoded, 'set'), path.join(again, 'cut'), {
      face: { scale: 2, size: 40 },
    });
    const { encoded } = await (await openPackedSet(path.join(again, 'cut'))).loadEncoded!(0);
    expect([...encoded.subarray(0, 2)]).toEqual([0xff, 0xd8]);
  });

  it('name a decoded picture that was cut short', async () => {
    const dir = await writeFolder({});
    const image = { data: new Uint8Array(3 * 20), width: 5, height: 4, channels: 3 } as const;
    const writer = await createPackedSetWriter(dir, HEAD, { decoded: true });
    await writer.add(syntheticAnnotation(1), image);
    await writer.close();
    const lines = path.join(dir, 'samples.jsonl');
    await writeFile(lines, (await readFile(lines, 'utf8')).replace('"length":76', '"length":74'));
    await expect(decodeFirst(dir)).rejects.toThrow(/expected 5 x 4 pixels of 3 bytes, got 74 bytes/);
  });

  it('are written in shards and read back whole', async () => {
    const dir = await writeFolder({});
    await addSamples(dir, [1, 2, 3, 4, 5], { shardBytes: 9000 });
    const names = (await readdir(dir)).sort();
    expect(names).toContain('samples-001.jsonl');
    expect(names).not.toContain(LOCK_FILE);
    const set = await openPackedSet(dir);
    expect(set.ids).toEqual(['s1', 's2', 's3', 's4', 's5']);
    for (const [i, seed] of [1, 2, 3, 4, 5].entries()) {
      const { landmarks, image } = await set.load(i);
      expect([image.width, image.height]).toEqual([160, 120]);
      syntheticAnnotation(seed).landmarks.points.forEach((value, k) => {
        expect(landmarks.points[k]).toBeCloseTo(value, 3);
      });
      expect((await set.loadEncoded!(i)).encoded).toEqual(await syntheticJpeg(seed, 160, 120));
    }
  });

  it.each([1 << 30, 9000])(
    'resume after a torn write as if nothing had been (shards of %i bytes)',
    async (shardBytes) => {
      const [whole, torn] = [await writeFolder({}), await writeFolder({})];
      await addSamples(whole, [1, 2, 3, 4, 5], { shardBytes });
      await addSamples(torn, [1, 2, 3], { shardBytes }, 'abandon');
      await expect(openPackedSet(torn)).rejects.toThrow(/an unfinished set\? resume its writer/);
      const last = (await readdir(torn))
        .filter((name) => name.endsWith('.jsonl'))
        .sort()
        .at(-1)!;
      await appendFile(path.join(torn, last), '{"id":"s4","offset":12');
      await appendFile(
        path.join(torn, last.replace('samples', 'images').replace('jsonl', 'bin')),
        'half a picture',
      );
      await addSamples(torn, [1, 2, 3, 4, 5], { shardBytes, resume: true });
      expect(await bytesOf(torn)).toEqual(await bytesOf(whole));
    },
  );

  it('of version 1 are read, and resumed into lines', async () => {
    const dir = await writeFolder({});
    await addSamples(dir, [1, 2]);
    const lines = (await readFile(path.join(dir, 'samples.jsonl'), 'utf8')).trim().split('\n');
    const old = {
      version: 1,
      ...HEAD,
      count: 2,
      imageSize: [160, 120],
      samples: lines.map((l) => JSON.parse(l)),
    };
    await writeFile(path.join(dir, 'set.json'), JSON.stringify(old));
    await rm(path.join(dir, 'samples.jsonl'));
    expect((await openPackedSet(dir)).ids).toEqual(['s1', 's2']);
    await addSamples(dir, [1, 2, 3], { resume: true });
    expect((await openPackedSet(dir)).ids).toEqual(['s1', 's2', 's3']);
    expect((await (await openPackedSet(dir)).load(1)).image.width).toBe(160);
  });

  it('are never cut where they cannot be read', async () => {
    const dir = await writeFolder({});
    await addSamples(dir, [1, 2, 3], {}, 'abandon');
    const file = path.join(dir, 'samples.jsonl');
    const text = await readFile(file, 'utf8');
    const images = await readFile(path.join(dir, 'images.bin'));
    const broken = text.replace('"id":"s2"', '"id":7');
    await writeFile(file, broken);
    await expect(addSamples(dir, [4], { resume: true })).rejects.toThrow(
      /id must be a text, got 7 .* line 2 of/,
    );
    expect(await readFile(file, 'utf8')).toBe(broken);
    await writeFile(file, text);
    if (process.getuid?.() !== 0) {
      await chmod(file, 0);
      await expect(addSamples(dir, [4], { resume: true })).rejects.toThrow(/EACCES/);
      await chmod(file, 0o644);
    }
    await rm(file);
    await mkdir(file);
    await expect(addSamples(dir, [4], { resume: true })).rejects.toThrow(/EISDIR/);
    expect(await readFile(path.join(dir, 'images.bin'))).toEqual(images);
  });

  it('of another shape, and those that exist already, are refused', async () => {
    const dir = await writeFolder({});
    await addSamples(dir, [1]);
    await expect(addSamples(dir, [2])).rejects.toThrow(/already holds a set \(resume it, or choose another/);
    await expect(createPackedSetWriter(dir, { ...HEAD, dims: 3 }, { resume: true })).rejects.toThrow(
      /68 landmarks in 2 dimensions, got 68 in 3/,
    );
    await truncate(path.join(dir, 'samples.jsonl'), 40);
    await expect(openPackedSet(dir)).rejects.toThrow(/samples.jsonl must hold \d+ bytes, got 40/);
  });

  it('go on after a sample that could not be written', async () => {
    const dir = await writeFolder({});
    const writer = await createPackedSetWriter(dir, HEAD);
    await expect(writer.add(syntheticAnnotation(1), Uint8Array.of(1, 2, 3))).rejects.toThrow(
      /"s1" could not be written/,
    );
    await writer.add(syntheticAnnotation(1), await syntheticJpeg(1, 160, 120));
    await writer.close();
    expect((await openPackedSet(dir)).ids).toEqual(['s1']);
  });
});

describe('fields of set.json and samples', () => {
  it.each<[string, Partial<Record<keyof PackedSample, unknown>>, RegExp]>([
    ['a length that is no number', { length: '5' }, /offset and length must be whole numbers of bytes/],
    ['a length that is true', { length: true }, /whole numbers of bytes/],
    ['a negative offset', { offset: -1 }, /whole numbers of bytes, got \[-1,/],
    ['an offset of null', { offset: null }, /whole numbers of bytes/],
    ['an offset beyond the file', { offset: 1e9 }, /must (lie within|hold)/],
    ['an id that is a number', { id: 3 }, /id must be a text/],
    ['no box', { box: undefined }, /box must be x, y and a positive/],
    ['a box without width', { box: [1, 2, 0, 4] }, /box must be x, y and a positive/],
    ['three flags', { visible: [1, 0, 1] }, /68 times 0 or 1/],
    [
      'a coordinate that is infinite as a float',
      { landmarks: Array.from({ length: 136 }, () => 1e39) },
      /finite/,
    ],
    ['too few coordinates', { landmarks: [1, 2] }, /expected 136 finite numbers per sample/],
    [
      'a file outside',
      { file: '../../private.jpg' },
      /must stay inside the folder, got "..\/..\/private.jpg"/,
    ],
    ['an address', { file: 'http://127.0.0.1/x.jpg' }, /must stay inside the folder/],
    ['an absolute file', { file: '/etc/x.jpg' }, /must stay inside the folder/],
  ])('refuse %s', async (_, change, message) => {
    const dir = await writeFolder({});
    await addSamples(dir, [1]);
    const file = path.join(dir, 'samples.jsonl');
    const setFile = path.join(dir, 'set.json');
    const line = JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), ...change });
    const set = JSON.parse(await readFile(setFile, 'utf8'));
    await writeFile(file, `${line}\n`);
    set.shards[0].samplesBytes = line.length + 1;
    await writeFile(setFile, JSON.stringify(set));
    await expect(openPackedSet(dir)).rejects.toThrow(message);
    const old = { ...set, version: 1, shards: undefined, samples: [JSON.parse(line)] };
    await writeFile(setFile, JSON.stringify(old));
    await expect(openPackedSet(dir)).rejects.toThrow(message);
  });

  it.each([
    [
      { shards: [{ samples: '../x', images: 'images.bin', count: 1, samplesBytes: 1, imagesBytes: 1 }] },
      /a shard names two files/,
    ],
    [
      { shards: [{ samples: 'a', images: 'b', count: '1', samplesBytes: 1, imagesBytes: 1 }] },
      /a shard names two files/,
    ],
    [{ count: 9 }, /count says 9 samples, got 1/],
    [{ dims: 4 }, /dims must be 2 or 3, got 4/],
    [{ scheme: { count: -1 } }, /expected the annotation scheme/],
  ])('refuse the set %j', async (change, message) => {
    const dir = await writeFolder({});
    await addSamples(dir, [1]);
    const file = path.join(dir, 'set.json');
    await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), ...change }));
    await expect(openPackedSet(dir)).rejects.toThrow(message);
  });
});

describe('lockFolder', () => {
  it('lets one writer in, and the next when it has ended', async () => {
    const dir = await writeFolder({});
    const writer = await createPackedSetWriter(dir, HEAD);
    await expect(createPackedSetWriter(dir, HEAD)).rejects.toThrow(
      new RegExp(`one writer per folder, got .* process ${process.pid} on .* writes the packed set tiny`),
    );
    await writer.abandon();
    await expect(convertDataset('/no/such/set', dir)).rejects.toThrow(/got nothing at/);
    const unlock = await lockFolder(dir, 'a test');
    await unlock();
    await unlock();
    await (await lockFolder(dir, 'another')).call(undefined);
  });

  it('replaces the lock of a process that is gone, and respects living and foreign ones', async () => {
    const dir = await writeFolder({});
    const file = path.join(dir, LOCK_FILE);
    const owner = (pid: number, host = hostname()) =>
      writeFile(file, JSON.stringify({ pid, host, work: 'x', since: 'then' }));
    const child = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => child.once('exit', resolve));
    await owner(child.pid!);
    await (await lockFolder(dir, 'a')).call(undefined);
    await owner(process.pid);
    await (await lockFolder(dir, 'b')).call(undefined);
    await owner(process.ppid);
    await expect(lockFolder(dir, 'c')).rejects.toThrow(/one writer per folder/);
    await owner(1, 'another-machine');
    await expect(lockFolder(dir, 'd')).rejects.toThrow(/process 1 on another-machine since then writes x/);
    // Its holder would have touched it: the machine is lost.
    const before = new Date(Date.now() - 130_000);
    await utimes(file, before, before);
    await (await lockFolder(dir, 'e')).call(undefined);
  });

  it('gives a contested folder to one of many', async () => {
    const dir = await writeFolder({});
    const child = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => child.once('exit', resolve));
    await writeFile(path.join(dir, LOCK_FILE), JSON.stringify({ pid: child.pid, host: hostname() }));
    const tries = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => lockFolder(dir, `writer ${i}`)),
    );
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});
