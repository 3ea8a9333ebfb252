// Packs public packages into a scratch folder, as they would be published.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Packs packages whose `dist` is built.
 * @param {string[]} names folder names under `packages`.
 * @returns {{ directory: string, tarballs: Map<string, string> }} the caller removes `directory`.
 */
export function packPackages(names) {
  const directory = mkdtempSync(join(tmpdir(), 'voxface-pack-'));
  const filters = names.flatMap((name) => ['--filter', `@voxface/${name}`]);
  const packed = spawnSync(
    'npx',
    ['-y', 'pnpm@12', '-r', ...filters, 'pack', '--pack-destination', directory],
    {
      encoding: 'utf8',
    },
  );
  const files = readdirSync(directory);
  const tarballs = new Map(
    names.map((name) => [name, files.find((file) => file.startsWith(`voxface-${name}-`))]),
  );
  const missing = names.filter((name) => tarballs.get(name) === undefined);
  if (packed.status !== 0 || missing.length > 0) {
    throw new Error(
      `packPackages: every package must pack, got none of ${missing.join(', ')} (run the build first)\n` +
        packed.stdout +
        packed.stderr,
    );
  }
  for (const [name, file] of tarballs) tarballs.set(name, join(directory, file));
  return { directory, tarballs };
}
