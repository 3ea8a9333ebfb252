import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CHROMIUM } from '@voxface/test-utils/node';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPage } from './open-page.ts';

const root = fileURLToPath(new URL('threads-page', import.meta.url));

interface Report {
  name: string;
  threads: number;
  reason: string;
  isIsolated: boolean;
  /** Whether the backend's memory is shared between threads. */
  isShared: boolean;
  /** Outcome of the conformance checks of 3x3 convolutions. */
  passed: boolean;
  checks: number;
}

/** The binaries asked for, without the hash that Vite puts into their names. */
const binaries = (requests: string[]): string[] => [
  ...new Set(
    requests
      .filter((path) => path.endsWith('.wasm'))
      .map((path) => path.replace(/-[\w-]{8}\.wasm$/, '.wasm')),
  ),
];

describe.skipIf(!existsSync(CHROMIUM))('wasm in a page built with Vite (needs Chromium)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'voxface-threads-'));

  beforeAll(async () => {
    await build({
      root,
      configFile: false,
      logLevel: 'error',
      build: { target: 'es2022', outDir: folder, emptyOutDir: true },
    });
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('runs on half of the cores when the page is cross-origin isolated', async () => {
    const { report, requests, workers } = await openPage<Report>(folder, {
      isIsolated: true,
      query: '?cores=8',
    });
    expect(report).toMatchObject({ name: 'wasm', isIsolated: true, isShared: true, threads: 4 });
    expect(binaries(requests)).toEqual(['/assets/tfjs-backend-wasm-threaded-simd.wasm']);
    expect(workers).toBeGreaterThanOrEqual(3);
    expect(report.checks).toBeGreaterThan(20);
    expect(report.passed).toBe(true);
  });

  it('runs on as many threads as it is asked for', async () => {
    const { report } = await openPage<Report>(folder, { isIsolated: true, query: '?cores=8&threads=2' });
    expect(report).toMatchObject({ isShared: true, threads: 2, passed: true });
  });

  it('runs on one thread where the policy refuses workers of blobs, and says so', async () => {
    const { report, workers } = await openPage<Report>(folder, {
      isIsolated: true,
      policy: "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'",
      query: '?cores=8',
    });
    expect(report).toMatchObject({ isIsolated: true, isShared: false, threads: 1, passed: true });
    expect(report.reason).toMatch(/on one thread, because .*worker-src/);
    expect(workers).toBe(0);
  });

  it('runs on one thread where a worker does not find the script of the threads', async () => {
    const script = readdirSync(join(folder, 'assets')).find(
      (name) =>
        /threaded-simd-.*\.js$/.test(name) &&
        readFileSync(join(folder, 'assets', name), 'utf8').startsWith('\nvar WasmBackendModule'),
    )!;
    const lost = join(folder, 'assets', script);
    renameSync(lost, `${lost}.away`);
    try {
      const { report } = await openPage<Report>(folder, { isIsolated: true, query: '?cores=8' });
      expect(report).toMatchObject({ isShared: false, threads: 1, passed: true });
      expect(report.reason).toContain(script);
    } finally {
      renameSync(`${lost}.away`, lost);
    }
  });

  it('ends with an error where the policy refuses WebAssembly', async () => {
    const opened = openPage<Report>(folder, {
      isIsolated: true,
      policy: "script-src 'self'",
      query: '?cores=8',
      timeout: 60_000,
    });
    await expect(opened).rejects.toThrow(/setupBackend: 'wasm' must be usable here/);
  });

  it('falls back to one thread without the headers', async () => {
    const { report, requests, workers } = await openPage<Report>(folder, { query: '?cores=8' });
    expect(report).toMatchObject({ isIsolated: false, isShared: false, threads: 1, passed: true });
    expect(binaries(requests)).toEqual(['/assets/tfjs-backend-wasm-simd.wasm']);
    expect(workers).toBe(0);
  });
});
