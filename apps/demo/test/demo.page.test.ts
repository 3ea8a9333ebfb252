import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { build, type PreviewServer, preview } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHROMIUM, CHROMIUM_FLAGS } from '../../../packages/test-utils/src/chromium.ts';

const have = existsSync(CHROMIUM);
if (!have && process.env.VOXFACE_REQUIRE_BROWSER)
  throw new Error(`Chromium is required and missing: ${CHROMIUM}`);

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'voxface-demo-'));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** VOXFACE_SCREENSHOTS=DIR keeps what the page looked like. */
const screenshots = process.env.VOXFACE_SCREENSHOTS;

const SIZES = [
  { width: 390, height: 844 },
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 },
];

describe.skipIf(!have)('demo page (needs Chromium)', () => {
  let server: PreviewServer;
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];
  const fetched: string[] = [];

  beforeAll(async () => {
    const outDir = join(folder, 'below');
    // From the built packages, as a visitor gets them (`pnpm build` comes first); served below a path.
    await build({ root, logLevel: 'error', build: { outDir } });
    server = await preview({
      root,
      logLevel: 'error',
      base: '/some/where/',
      build: { outDir },
      preview: { port: 0, host: '127.0.0.1' },
    });
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: [...CHROMIUM_FLAGS, '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream'],
    });
    page = await browser.newPage({ reducedMotion: 'reduce' });
    page.on('pageerror', ({ message }) => problems.push(message));
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    page.on('request', (request) => fetched.push(new URL(request.url()).pathname));
    await page.setViewportSize(SIZES[0]);
    await page.goto(new URL('/some/where/', server.resolvedUrls!.local[0]).href);
    await page.waitForFunction('voxface.faces === 3 && voxface.busy === 0', undefined, { timeout: 120_000 });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    rmSync(folder, { recursive: true });
  });

  const status = (): Promise<string | null> => page.textContent('#status');

  test('opens on three drawn faces and finds them', async () => {
    expect(await status()).toMatch(/^3 faces in \d+ ms$/);
    expect(await page.getAttribute('#picture', 'aria-label')).toBe('3 faces');
    expect(problems).toEqual([]);
  });

  test('shows what its build found, then its own landmarks, then the detector, and fetches every file once', async () => {
    const { firstPaint, firstOwn, firstDetected } = await page.evaluate<Record<string, number>>('voxface');
    expect(firstPaint).toBeGreaterThan(0);
    expect(firstOwn).toBeGreaterThan(firstPaint);
    expect(firstDetected).toBeGreaterThan(firstOwn);
    const large = fetched.filter((path) => /\.(onnx|wasm)$/.test(path));
    expect(large).toHaveLength(3);
    expect(new Set(large).size).toBe(3);
    // The head of the page asks for them, not a script.
    const early = await page.$$eval('link[rel=preload][as=fetch]', (links) =>
      links.map((link) => new URL((link as HTMLLinkElement).href).pathname),
    );
    expect(new Set(early)).toEqual(new Set(large));
  });

  test.each(SIZES)(
    'at $width x $height everything is in view and axe finds nothing, dark and light',
    async (size) => {
      await page.setViewportSize(size);
      const outside = await page.evaluate(() => {
        const ids = ['status', 'picture', 'camera', 'open', 'shape', 'volume', 'yaw', 'confidence', 'time'];
        return ids.filter((id) => {
          const { left, top, right, bottom } = document.getElementById(id)!.getBoundingClientRect();
          return left < 0 || top < 0 || right > innerWidth || bottom > innerHeight || right - left < 20;
        });
      });
      expect(outside).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
      for (const colorScheme of ['dark', 'light'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        if (screenshots)
          await page.screenshot({ path: join(screenshots, `demo-${size.width}-${colorScheme}.png`) });
        await page.evaluate(axe);
        const { violations } = await page.evaluate<{
          violations: { id: string; nodes: { html: string }[] }[];
        }>('axe.run()');
        expect(
          violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`),
        ).toEqual([]);
      }
    },
  );

  test('the keyboard alone opens a sample, turns the views, picks a photo and starts and stops the camera', async () => {
    const reach = async (selector: string): Promise<void> => {
      for (let i = 0; i < 20; i++) {
        await page.keyboard.press('Tab');
        if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
      }
      throw new Error(`Tab does not reach ${selector}`);
    };
    // Asked for early: the browser is told to hand choosers over only after a while, and a key would come before.
    const chooser = page.waitForEvent('filechooser', { timeout: 120_000 });
    await page.evaluate('document.activeElement.blur()');
    await reach('[data-sample="drawn-one.svg"]');
    await page.keyboard.press('Enter');
    await page.waitForFunction('voxface.faces === 1 && voxface.busy === 0', undefined, { timeout: 60_000 });

    await reach('#yaw');
    await page.keyboard.press('Home');
    expect(await page.evaluate('voxface.yaw')).toBe(-90);

    await reach('#open');
    await page.keyboard.press('Enter');
    const wrong = join(folder, 'words.jpg');
    writeFileSync(wrong, 'no picture');
    await (await chooser).setFiles(wrong);
    await page.waitForFunction("document.querySelector('#status.error') !== null");
    expect(await status()).toMatch(/not a picture that the browser can read/);

    const frames = await page.evaluate<number>('voxface.frames');
    await page.evaluate('document.activeElement.blur()');
    await reach('#camera');
    await page.keyboard.press('Enter');
    await page.waitForFunction(`voxface.frames > ${frames} + 1`, undefined, { timeout: 60_000 });
    expect(await page.textContent('#camera')).toBe('Stop');
    await page.keyboard.press('Enter');
    expect(await page.textContent('#camera')).toBe('Camera');
    expect(problems).toEqual([]);
  });

  test('a dropped photo is looked at', async () => {
    await page.evaluate(async () => {
      const data = new DataTransfer();
      const blob = await (await fetch('./astronaut.jpg')).blob();
      data.items.add(new File([blob], 'astronaut.jpg', { type: 'image/jpeg' }));
      document.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
    });
    await page.waitForFunction(
      "/^1 face in/.test(document.querySelector('#status').textContent)",
      undefined,
      {
        timeout: 60_000,
      },
    );
    expect(await page.textContent('#confidence')).toMatch(/\d+ %/);
    if (screenshots) await page.screenshot({ path: join(screenshots, 'demo-astronaut.png') });
  });

  test('a camera that is not allowed is said in words', async () => {
    await page.evaluate(() => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
    });
    await page.click('#camera');
    await page.waitForFunction("document.querySelector('#status.error') !== null");
    expect(await status()).toMatch(/camera was not allowed/);
  });
});
