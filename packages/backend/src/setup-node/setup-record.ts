import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ADDON_FILE } from './addon.ts';
import { type CacheEntry, parseCacheEntryName } from './cache-directory.ts';
import { compareVersions } from './wheel.ts';

const RECORD_FILE = 'setup.json';

/** A finished build in the cache, as its `setup.json` tells. */
export interface SetupRecord extends CacheEntry {
  /** Folder of the build. */
  directory: string;
  /** Path of the addon. */
  addon: string;
  /** Folder of the JavaScript half of tfjs-node when the set-up fetched it; undefined when the project has its own. */
  packageDirectory?: string;
}

/** Marks a build as finished; written last, so a build cut short is never taken for a whole one. */
export function writeSetupRecord(directory: string, entry: CacheEntry, ownPackage?: string): void {
  const record = { ...entry, addon: ADDON_FILE, package: ownPackage };
  writeFileSync(join(directory, RECORD_FILE), JSON.stringify(record, null, 2) + '\n');
}

/** Reads one build's record; undefined when the folder holds no finished build. */
export function readSetupRecord(directory: string): SetupRecord | undefined {
  const file = join(directory, RECORD_FILE);
  if (!existsSync(file)) return undefined;
  const record = JSON.parse(readFileSync(file, 'utf8')) as CacheEntry & { addon: string; package?: string };
  const addon = join(directory, record.addon);
  if (!existsSync(addon)) return undefined;
  const { tfjsVersion, tensorflowVersion, gpu } = record;
  const packageDirectory = record.package === undefined ? undefined : join(directory, record.package);
  return { tfjsVersion, tensorflowVersion, gpu, directory, addon, packageDirectory };
}

/**
 * Finds the build to use: the one with the newest TensorFlow among those made for a tfjs version, or
 * the one with the TensorFlow that is named.
 *
 * @param cacheDirectory Folder of builds, see `defaultCacheDirectory`.
 */
export function findSetupRecord(
  cacheDirectory: string,
  wanted: { tfjsVersion: string; gpu: boolean; tensorflowVersion?: string },
): SetupRecord | undefined {
  if (!existsSync(cacheDirectory)) return undefined;
  const records = readdirSync(cacheDirectory)
    .map((name) => ({ name, entry: parseCacheEntryName(name) }))
    .filter(({ entry }) => entry?.tfjsVersion === wanted.tfjsVersion && entry.gpu === wanted.gpu)
    .map(({ name }) => readSetupRecord(join(cacheDirectory, name)))
    .filter((record) => record !== undefined)
    .filter(({ tensorflowVersion: has }) => (wanted.tensorflowVersion ?? has) === has);
  records.sort((a, b) => compareVersions(b.tensorflowVersion, a.tensorflowVersion));
  return records[0];
}
