// Packs public packages into a scratch folder, as they would be published.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Packs packages whose `dist` is built.
 * @param {string[]} names folder names under `packages`.
 * @returns {{ directory: string, tarballs: Map<string, string> }} the caller removes `directory`.
 */
export function packPackages(names) {
  const directory = mkdtempSync(join(tmpdir(), 'voxface-pack-'));
  const manifests = new Map(
    names.map((name) => [name, JSON.parse(readFileSync(`packages/${name}/package.json`, 'utf8'))]),
  );
  const filters = [...manifests.values()].flatMap((manifest) => ['--filter', manifest.name]);
  const packed = spawnSync(
    'npx',
    ['-y', 'pnpm@12', '-r', ...filters, 'pack', '--pack-destination', directory],
    {
      encoding: 'utf8',
    },
  );
  const files = readdirSync(directory);
  const tarballs = new Map(
    [...manifests].map(([name, manifest]) => [
      name,
      files.find((file) => file === `${tarballStem(manifest.name)}-${manifest.version}.tgz`),
    ]),
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

/** `@voxface/models` is packed as `voxface-models-VERSION.tgz`. */
function tarballStem(name) {
  return name.replace('@', '').replace('/', '-');
}
