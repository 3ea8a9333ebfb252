import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { CHROMIUM, CHROMIUM_FLAGS } from '@voxface/test-utils/node';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFaceLandmarker } from '../src/index.ts';

const built = fileURLToPath(new URL('../dist/web/', import.meta.url));
const faceApi = dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json'));
const photo = join(faceApi, 'demo/sample1.jpg');
const TYPES: Record<string, string> = { '.js': 'text/javascript', '.wasm': 'application/wasm' };

/** The page that the README shows: nothing but the built folder of this package, as a CDN serves it. */
const PAGE = `<!doctype html><img id="photo" src="/photo.jpg">
<script type="module">
import { createFaceLandmarker } from '/voxface/index.js';
const image = document.querySelector('#photo');
await image.decode();
const start = performance.now();
const landmarker = await createFaceLandmarker();
const faces = await landmarker.detect(image);
const first = performance.now() - start;
const address = await landmarker.detect('/photo.jpg');
const blob = await landmarker.detect(await (await fetch('/photo.jpg')).blob());
const [video] = await landmarker.detectForVideo(image, 0);
const { boxes = [faces[0].box] } = {};
const [given] = await landmarker.detect(image, { boxes, volume: true });
landmarker.dispose();
const error = await createFaceLandmarker({ assets: '/elsewhere' }).catch(({ message }) => message);
const plain = (face) => ({ box: face.box, points: [...face.landmarks.points] });
globalThis.report = {
  first, error, volume: given.volume.shape, id: video.id,
  faces: faces.map(plain), address: address.map(plain), blob: blob.map(plain),
};
</script>`;

interface Report {
  first: number;
  error: string;
  volume: number[];
  id: number;
  faces: { box: object; points: number[] }[];
  address: { points: number[] }[];
  blob: { points: number[] }[];
}

let server: Server;
let browser: Browser;
beforeAll(async () => {
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://x');
    if (pathname === '/') return response.setHeader('content-type', 'text/html').end(PAGE);
    const file = pathname === '/photo.jpg' ? photo : join(built, pathname.replace('/voxface/', ''));
    if (!existsSync(file)) return response.writeHead(404).end();
    return response
      .setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream')
      .end(readFileSync(file));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  browser = await chromium.launch({ executablePath: CHROMIUM, args: [...CHROMIUM_FLAGS] });
});
afterAll(async () => {
  await browser?.close();
  server.close();
});

describe('createFaceLandmarker in a page', () => {
  test('finds by itself what lies beside it, and sees what Node sees', async () => {
    const page = await browser.newPage();
    const failures: string[] = [];
    page.on('pageerror', ({ message }) => failures.push(message));
    const requests: string[] = [];
    page.on('request', (request) => requests.push(new URL(request.url()).pathname));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.waitForFunction('globalThis.report', undefined, { timeout: 120_000 }).catch((error) => {
      throw new Error([...failures, error.message].join('\n'));
    });
    const report = await page.evaluate<Report>('globalThis.report');
    expect(failures).toEqual([]);
    expect(report.error).toMatch(/expected an \.onnx file at .*elsewhere.*got status 404/);
    expect(report.volume).toEqual([32, 32, 32, 3]);
    expect(report.id).toBe(1);
    const names = requests.filter((path) => path.endsWith('.onnx') || path.endsWith('.wasm'));
    expect(new Set(names.filter((path) => path.startsWith('/voxface/')))).toEqual(
      new Set([
        '/voxface/small-int8.onnx',
        '/voxface/detector-tiny.onnx',
        '/voxface/ort-wasm-simd-threaded.wasm',
      ]),
    );

    const files = new Set(requests.filter((path) => path.startsWith('/voxface/')));
    const sent = [...files].map((path) => gzipSync(readFileSync(join(built, path.slice(9)))).length);
    expect(sent.reduce((sum, bytes) => sum + bytes)).toBeLessThan(6e6);

    const landmarker = await createFaceLandmarker({ detector: 'tiny', runtime: 'onnxruntime-web' });
    const expected = await landmarker.detect(photo);
    landmarker.dispose();
    expect(report.faces).toHaveLength(expected.length);
    for (const seen of [report.faces, report.address, report.blob]) {
      const worst = seen.map(({ points }) => {
        const distances = expected.map(({ landmarks }) =>
          Math.max(...points.map((value, i) => Math.abs(value - landmarks.points[i]))),
        );
        return Math.min(...distances);
      });
      // Browsers and sharp decode a JPEG a little differently.
      expect(
        worst.map((pixels) => pixels < 3),
        worst.join(),
      ).not.toContain(false);
    }
  });
});
