import { existsSync, mkdtempSync, rmSync } from 'node:fs';
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

  it('falls back to one thread without the headers', async () => {
    const { report, requests, workers } = await openPage<Report>(folder, { query: '?cores=8' });
    expect(report).toMatchObject({ isIsolated: false, isShared: false, threads: 1, passed: true });
    expect(binaries(requests)).toEqual(['/assets/tfjs-backend-wasm-simd.wasm']);
    expect(workers).toBe(0);
  });
});
