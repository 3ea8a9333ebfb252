import { createHash } from 'node:crypto';
import { open, readFile, symlink } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createBatches, type Dataset } from '../src/index.ts';
import { joinPackedSet, openDataset, openPackedSet, writePackedSet } from '../src/node.ts';
import { syntheticDataset, syntheticSample } from './synthetic.ts';
import { writeFolder } from './synthetic-folder.ts';

// Packed sets over HTTP from a server of this test, which answers range requests or does not.

const faces = (name: string, count: number, first = 0): Dataset<2> =>
  syntheticDataset(
    name,
    Array.from({ length: count }, (_, i) => syntheticSample(first + i)),
  );

/** Three shards of four samples. */
async function writeSet(folder: string): Promise<void> {
  const one = 4 * 160 * 120 * 3 - 1;
  await writePackedSet(folder, faces('s', 12), { decoded: true, shardBytes: one });
}

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

type Answer = (request: IncomingMessage, response: ServerResponse, file: string) => Promise<void> | void;

async function serve(folder: string, answer: Answer): Promise<{ address: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.range ?? ''}`.trim());
    Promise.resolve(answer(request, response, path.join(folder, request.url!))).catch(() =>
      response.writeHead(404).end(),
    );
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const whole: Answer = async (_, response, file) => void response.end(await readFile(file));
const ranges: Answer = async (request, response, file) => {
  const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? [];
  if (from === undefined) return whole(request, response, file);
  const handle = await open(file);
  const { size } = await handle.stat();
  const bytes = Buffer.alloc(Math.min(Number(to), size - 1) - Number(from) + 1);
  await handle.read(bytes, 0, bytes.length, Number(from));
  await handle.close();
  response.writeHead(206, { 'content-range': `bytes ${from}-${Number(from) + bytes.length - 1}/${size}` });
  response.end(bytes);
};

const everything = (set: Dataset) =>
  Promise.all(
    set.ids.map(async (_, i) => {
      const { image, ...rest } = await set.load(i);
      return { ...rest, pixels: createHash('sha256').update(image.data).digest('hex') };
    }),
  );

describe('a packed set at an address', () => {
  it('gives what the folder gives, by range requests of a picture each', async () => {
    const root = await writeFolder({});
    await writeSet(path.join(root, 'set'));
    const { address, asked } = await serve(root, ranges);
    const set = await openDataset(`${address}/set`);
    expect(set.shards).toEqual([0, 4, 8]);
    expect(await everything(set)).toEqual(await everything(await openPackedSet(path.join(root, 'set'))));
    const pictures = asked.filter((line) => line.includes('images'));
    // One byte of each shard at the start, to see its size.
    expect(pictures).toHaveLength(3 + 12);
    expect(pictures.every((line) => line.includes('bytes='))).toBe(true);
    const source = createBatches({ dataset: set, size: 8, batchSize: 5, seed: 1, shuffle: { buffer: 3 } });
    expect(await source.next()).toHaveLength(5);
    await source.close();
  });

  it('keeps the files of a server that sends them whole, and asks once for each', async () => {
    const root = await writeFolder({});
    await writeSet(path.join(root, 'set'));
    const { address, asked } = await serve(root, whole);
    const set = await openDataset(`${address}/set/`);
    expect(await everything(set)).toEqual(await everything(await openPackedSet(path.join(root, 'set'))));
    expect(asked).toHaveLength(1 + 6);
  });

  it('refuses large files of such a server before it reads them', async () => {
    const root = await writeFolder({});
    await writeSet(path.join(root, 'set'));
    const { address } = await serve(root, (request, response, file) => {
      if (!file.endsWith('images.bin')) return whole(request, response, file);
      response.writeHead(200, { 'content-length': 2 ** 29 });
      response.write('x');
    });
    await expect(openDataset(`${address}/set`)).rejects.toThrow(
      /must answer range requests \(status 206\) or send at most 268435456 bytes, got status 200 and 536870912 .*images\.bin \(serve the set with another server/,
    );
  });

  it('tries again what fails for a while, and names what fails for good', async () => {
    const root = await writeFolder({});
    await writeSet(path.join(root, 'set'));
    let failures = 0;
    const { address } = await serve(root, (request, response, file) => {
      if (file.endsWith('samples.jsonl') && failures++ < 2) {
        if (failures === 1) response.writeHead(503).end();
        else request.socket.destroy();
        return;
      }
      return ranges(request, response, file);
    });
    expect((await openDataset(`${address}/set`)).length).toBe(12);
    await expect(openDataset(`${address}/none`)).rejects.toThrow(
      /expected http.*\/none\/set\.json, got status 404/,
    );
    const { address: short } = await serve(root, (request, response, file) =>
      file.endsWith('images-001.bin')
        ? void response.writeHead(206, { 'content-range': 'bytes 0-0/5' }).end('x')
        : ranges(request, response, file),
    );
    await expect(openDataset(`${short}/set`)).rejects.toThrow(/images-001\.bin must hold \d+ bytes, got 5/);
    await expect(openDataset(`${address}/set`, { kind: 'coco' })).rejects.toThrow(
      /an address holds a packed set/,
    );
  });
});

describe('sets are joined without a copy', () => {
  it('of any names, by a set.json that names their files, links to folders included', async () => {
    const root = await writeFolder({ 'joined/notes.txt': 'x' });
    await writeSet(path.join(root, 'joined/a'));
    await writePackedSet(path.join(root, 'elsewhere'), faces('t', 3));
    await symlink(path.join(root, 'elsewhere'), path.join(root, 'joined/b'));
    const loose = await openPackedSet(path.join(root, 'joined'));
    expect([loose.length, loose.shards]).toEqual([15, [0, 4, 8, 12]]);
    expect(await joinPackedSet(path.join(root, 'joined'))).toBe(15);
    const joined = await openPackedSet(path.join(root, 'joined'));
    expect([joined.name, joined.shards]).toEqual(['joined', [0, 4, 8, 12]]);
    // Both begin with s0: told apart by their folders.
    expect([joined.ids[0], joined.ids[12]]).toEqual(['a/s0', 'b/s0']);
    expect(joined.ids).toEqual(loose.ids);
    expect(await everything(joined)).toEqual(await everything(loose));
  });

  it('and refused where schemes or dimensions differ', async () => {
    const root = await writeFolder({});
    await writeSet(path.join(root, 'a'));
    const deep = syntheticSample(0);
    await writePackedSet(path.join(root, 'b'), {
      ...faces('b', 1),
      load: async () => deep,
      scheme: { ...deep.scheme, name: 'other' },
    });
    await expect(joinPackedSet(root)).rejects.toThrow(/joined sets equal schemes and dimensions, got/);
  });
});
