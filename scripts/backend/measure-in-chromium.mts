// Builds packages/backend/bench/conformance-page.ts and runs it in Chromium (VOXFACE_CHROMIUM, or Debian's), GPUs emulated on the CPU.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Measured } from '../../packages/backend/bench/kernel-states.ts';
import { openPage } from '../../packages/backend/test/open-page.ts';

const HALF_AN_HOUR = 1_800_000;

/** Conformance of webgl or webgpu in a page, as it comes from npm or after `setupBackend`. */
export async function measureInChromium(backend: string, mode: 'stock' | 'ours'): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'voxface-conformance-'));
  try {
    await build({
      entryPoints: [
        fileURLToPath(new URL('../../packages/backend/bench/conformance-page.ts', import.meta.url)),
      ],
      outfile: join(folder, 'page.js'),
      bundle: true,
      format: 'esm',
      target: 'es2022',
      conditions: ['voxface-source'],
      logLevel: 'error',
    });
    writeFileSync(join(folder, 'index.html'), '<!doctype html><script type="module" src="page.js"></script>');
    const query = `?backend=${backend}&mode=${mode}`;
    return (await openPage<Measured>(folder, { query, timeout: HALF_AN_HOUR })).report;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
