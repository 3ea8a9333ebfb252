import { IBUG_68 } from '@voxface/landmarks';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createBatches, formatPts } from '../src/index.ts';
import { openKeypointCsvFiles, openPackedSetUrl, openPtsFiles } from '../src/web.ts';

const POINTS = Float32Array.from({ length: 136 }, (_, k) =>
  k % 2 ? 10 + 5 * Math.floor(k / 22) : 10 + 6 * ((k >> 1) % 11),
);

/** A PNG whose every pixel is known: red = x, green = y, blue = 7. */
async function knownPng(width: number, height: number): Promise<Blob> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d')!;
  const image = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) image.data.set([i % width, Math.floor(i / width), 7, 255], 4 * i);
  context.putImageData(image, 0, 0);
  return canvas.convertToBlob({ type: 'image/png' });
}

afterEach(() => vi.unstubAllGlobals());

describe('datasets in the browser', () => {
  it('opens picked .pts files and pictures, exact to the pixel', async () => {
    const png = await knownPng(90, 60);
    const pts = formatPts({ points: POINTS.map((value) => value + 1), dims: 2 });
    const dataset = await openPtsFiles([new File([png], 'a.png'), new File([pts], 'a.pts')]);
    const { image, landmarks, id } = await dataset.load(0);
    expect([id, image.width, image.height]).toEqual(['a', 90, 60]);
    expect(Array.from(image.data.subarray(4 * (33 * 90 + 21), 4 * (33 * 90 + 21) + 3))).toEqual([21, 33, 7]);
    expect(Array.from(landmarks.points)).toEqual(Array.from(POINTS));
    const source = createBatches({ dataset, size: 32, batchSize: 2, seed: 1, augmentation: {} });
    expect((await source.next()).map(({ pixels }) => pixels.length)).toEqual([3072, 3072]);
    await source.close();
  });

  it('names what is missing or damaged', async () => {
    const pts = formatPts({ points: POINTS, dims: 2 });
    await expect(openPtsFiles([new File([pts], 'a.pts')])).rejects.toThrow(/expected a picture beside a.pts/);
    const png = await knownPng(90, 60);
    const dataset = await openPtsFiles([new File([png.slice(0, 40)], 'a.jpg'), new File([pts], 'a.pts')]);
    await expect(dataset.load(0)).rejects.toThrow(
      /whole picture the browser can read, got 40 bytes.*files\/a/,
    );
  });

  it('opens a keypoint CSV', async () => {
    const csv = new Blob([`,0,1\nb.png,${Array.from(POINTS).join(',')}\n`]);
    const dataset = await openKeypointCsvFiles(csv, [new File([await knownPng(90, 60)], 'b.png')]);
    expect(Array.from((await dataset.load(0)).landmarks.points)).toEqual(Array.from(POINTS));
  });

  it.each([true, false])('opens a packed set over HTTP, range requests answered: %s', async (ranges) => {
    const bytes = new Uint8Array(await (await knownPng(90, 60)).arrayBuffer());
    const bin = new Uint8Array(bytes.length + 5);
    bin.set(bytes, 5);
    const sample = {
      id: 's',
      offset: 5,
      length: bytes.length,
      width: 90,
      height: 60,
      landmarks: Array.from(POINTS),
      box: [10, 10, 60, 30],
    };
    const set = {
      version: 1,
      name: 'set',
      dims: 2,
      scheme: IBUG_68,
      count: 1,
      imageSize: [90, 60],
      samples: [sample],
    };
    const asked: string[] = [];
    vi.stubGlobal('fetch', async (url: URL, init?: RequestInit) => {
      asked.push(url.pathname);
      if (url.pathname.endsWith('set.json')) return new Response(JSON.stringify(set));
      if (!url.pathname.endsWith('images.bin')) return new Response('', { status: 404 });
      const [from, to] = /bytes=(\d+)-(\d+)/
        .exec(new Headers(init?.headers).get('range')!)!
        .slice(1)
        .map(Number);
      return ranges ? new Response(bin.slice(from, to + 1), { status: 206 }) : new Response(bin);
    });
    const dataset = await openPackedSetUrl('/data/set');
    for (let round = 0; round < 2; round++) expect((await dataset.load(0)).image.data[4]).toBe(1);
    expect(asked).toEqual([
      '/data/set/set.json',
      // Its size, or all of it; then a picture each time.
      '/data/set/images.bin',
      ...(ranges ? ['/data/set/images.bin', '/data/set/images.bin'] : []),
    ]);
  });
});
