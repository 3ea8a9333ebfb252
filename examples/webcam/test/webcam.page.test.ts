import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { build, type PreviewServer, preview } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHROMIUM, CHROMIUM_FLAGS } from '../../../packages/test-utils/src/chromium.ts';
import { writeFakeCamera } from './fake-camera.ts';

const have = existsSync(CHROMIUM);
if (!have && process.env.VOXFACE_REQUIRE_BROWSER)
  throw new Error(`Chromium is required and missing: ${CHROMIUM}`);

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'voxface-page-'));
const photo = join(
  dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json')),
  'demo/sample1.jpg',
);

/** Nose tips in the 1920 px wide photo, read off by eye; the faces are about 200 px wide. */
const NOSES = [
  [462, 510],
  [915, 580],
  [1553, 343],
];
const VIDEO_WIDTH = 960;

type PageState = { faces: { landmarks: number[][] }[]; backend: string; frames: number };

describe.skipIf(!have)('webcam page (needs Chromium)', () => {
  let server: PreviewServer;
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];
  const requests: string[] = [];

  beforeAll(async () => {
    const outDir = join(folder, 'dist');
    // From the built packages, as a user's bundler sees them (`pnpm build` comes first).
    await build({ root, logLevel: 'error', build: { outDir } });
    server = await preview({
      root,
      logLevel: 'error',
      build: { outDir },
      preview: { port: 0, host: '127.0.0.1' },
    });
    const camera = join(folder, 'camera.y4m');
    await writeFakeCamera(photo, camera, VIDEO_WIDTH);
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: [
        ...CHROMIUM_FLAGS,
        '--use-fake-ui-for-media-stream',
        '--use-fake-device-for-media-stream',
        `--use-file-for-fake-video-capture=${camera}`,
      ],
    });
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      permissions: ['camera'],
    });
    page = await context.newPage();
    page.setDefaultTimeout(120_000);
    page.on('request', (request) => requests.push(request.url()));
    page.on('pageerror', (error) => problems.push(error.message));
    await page.goto(server.resolvedUrls?.local[0] as string);
  }, 240_000);

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    rmSync(folder, { recursive: true });
  });

  /** The state once so many frames were shown and the last of them on that backend. */
  const stateAfter = async (frames: number, backend = ''): Promise<PageState> => {
    await page.waitForFunction(
      ([least, name]) => {
        const state = (globalThis as never as { voxface: PageState }).voxface;
        return state.frames >= Number(least) && state.backend.includes(`${name}`);
      },
      [frames, backend] as const,
      { timeout: 240_000 },
    );
    return page.evaluate(() => (globalThis as never as { voxface: PageState }).voxface);
  };

  const expectNoses = (state: PageState, scale: number): void => {
    const tips = state.faces.map(({ landmarks }) => landmarks[30]);
    for (const [x, y] of NOSES) {
      const distances = tips.map((tip) => Math.hypot(tip[0] / scale - x, tip[1] / scale - y));
      expect(Math.min(...distances)).toBeLessThan(40);
    }
  };

  test('finds the faces of the camera, and again when tracking', async () => {
    await page.selectOption('#backend', 'wasm');
    await page.click('#camera');
    expectNoses(await stateAfter(1), VIDEO_WIDTH / 1920);
    const later = await stateAfter(4);
    expectNoses(later, VIDEO_WIDTH / 1920);
    expect(later.backend).toBe('wasm');
  }, 300_000);

  test('switches the backend while the camera runs', async () => {
    const before = await stateAfter(0);
    await page.selectOption('#backend', 'webgl');
    const webgl = await stateAfter(before.frames + 1, 'webgl');
    expectNoses(webgl, VIDEO_WIDTH / 1920);
    await page.selectOption('#backend', 'wasm');
    const wasm = await stateAfter(webgl.frames + 2, 'wasm');
    expectNoses(wasm, VIDEO_WIDTH / 1920);
    expect(problems).toEqual([]);
    await page.click('#camera');
  }, 300_000);

  test('finds the same faces in a photo that is opened, on another backend', async () => {
    await page.selectOption('#backend', 'webgl');
    const { frames } = await stateAfter(0);
    await page.setInputFiles('#photo', photo);
    const state = await stateAfter(frames + 1, 'webgl');
    expectNoses(state, 1280 / 1920);
    expect(state.backend).toBe('webgl');
    if (process.env.VOXFACE_SCREENSHOTS) {
      await page.screenshot({ path: join(process.env.VOXFACE_SCREENSHOTS, 'webcam-desktop.png') });
      await page.setViewportSize({ width: 390, height: 844 });
      await page.screenshot({ path: join(process.env.VOXFACE_SCREENSHOTS, 'webcam-phone.png') });
    }
    expect(await page.textContent('#status')).toMatch(/3 faces, \d+ ms on webgl/);
    expect(problems).toEqual([]);
  }, 300_000);

  test('switches to ONNX Runtime, which it loads only then, and back', async () => {
    const runtime = (): string[] => requests.filter((address) => /ort-wasm.*\.wasm$/.test(address));
    expect(runtime()).toEqual([]);
    const before = await stateAfter(0);
    await page.selectOption('#backend', 'onnx');
    const onnx = await stateAfter(before.frames + 1, 'onnx');
    expect(onnx.backend).toBe('onnx');
    expect(runtime()).toHaveLength(1);
    expectNoses(onnx, 1280 / 1920);
    await page.selectOption('#backend', 'wasm');
    const wasm = await stateAfter(onnx.frames + 1, 'wasm');
    expect(wasm.backend).toBe('wasm');
    expect(onnx.faces).toHaveLength(wasm.faces.length);
    wasm.faces.forEach(({ landmarks }, f) => {
      landmarks.flat().forEach((value, i) => {
        expect(Math.abs(value - onnx.faces[f].landmarks.flat()[i])).toBeLessThan(0.01);
      });
    });
    expect(problems).toEqual([]);
  }, 300_000);
});
