// Packs public packages into a scratch folder, as they would be published.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Packs packages whose `dist` is built, with those of ours that they need, or takes them from the folder that VOXFACE_TARBALLS names.
 * @param {string[]} names folder names under `packages`.
 * @returns {{ directory: string, tarballs: Map<string, string>, remove: () => void }} where all lie, and those named; call `remove` when they are not needed any more.
 */
export function packPackages(names) {
  const ready = process.env.VOXFACE_TARBALLS;
  const directory = ready ?? mkdtempSync(join(tmpdir(), 'voxface-pack-'));
  const manifests = new Map(
    names.map((name) => [name, JSON.parse(readFileSync(`packages/${name}/package.json`, 'utf8'))]),
  );
  if (ready === undefined) pack(manifests, directory);
  const files = readdirSync(directory);
  const tarballs = new Map(
    [...manifests].map(([name, manifest]) => [
      name,
      files.find((file) => file === `${tarballStem(manifest.name)}-${manifest.version}.tgz`),
    ]),
  );
  const missing = names.filter((name) => tarballs.get(name) === undefined);
  if (missing.length > 0) {
    throw new Error(
      `packPackages: every package must pack, got none of ${missing.join(', ')} in ${directory}`,
    );
  }
  for (const [name, file] of tarballs) tarballs.set(name, join(directory, file));
  return {
    directory,
    tarballs,
    remove: () => {
      if (ready === undefined) rmSync(directory, { recursive: true });
    },
  };
}

function pack(manifests, directory) {
  // With what they depend on, so that the folder's tarballs can be installed together.
  const filters = [...manifests.values()].flatMap((manifest) => ['--filter-prod', `${manifest.name}...`]);
  const packed = spawnSync(
    'npx',
    ['-y', 'pnpm@12', '-r', ...filters, 'pack', '--pack-destination', directory],
    {
      encoding: 'utf8',
    },
  );
  if (packed.status !== 0) {
    throw new Error(`packPackages: run the build first\n${packed.stdout}${packed.stderr}`);
  }
}

/** `@voxface/models` is packed as `voxface-models-VERSION.tgz`. */
function tarballStem(name) {
  return name.replace('@', '').replace('/', '-');
}
