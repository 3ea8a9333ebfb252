import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { compareVersions } from './wheel.ts';

const RECORD_FILE = 'setup.json';

/** File name of the addon, as tfjs-node calls it. */
export const ADDON_FILE = 'tfjs_binding.node';

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

/** Node-API version the addon is compiled for; every Node 20 and later offers it, so one build serves all of them. */
export const NODE_API_VERSION = 8;

/** What one build in the cache was made from. */
export interface CacheEntry {
  /** Version of `@tensorflow/tfjs-node`, equal to that of `@tensorflow/tfjs-core`, such as `4.22.0`. */
  tfjsVersion: string;
  /** TensorFlow release whose libraries the addon is linked to, such as `2.21.0`. */
  tensorflowVersion: string;
  /** True for the CUDA build of `@tensorflow/tfjs-node-gpu`. */
  gpu: boolean;
}

/**
 * Folder that holds every build: `$XDG_CACHE_HOME/voxface/tfjs-node`, or `~/.cache/voxface/tfjs-node`.
 *
 * @param environment Variables to read, `process.env` by default. A relative `XDG_CACHE_HOME` is ignored, as its
 * specification asks.
 */
export function defaultCacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const configured = environment.XDG_CACHE_HOME;
  const base = configured?.startsWith('/') ? configured : join(environment.HOME ?? homedir(), '.cache');
  return join(base, 'voxface', 'tfjs-node');
}

/** Folder name of one build: `<tfjs version>-tf<version>-napi<abi>[-gpu]`. */
export function cacheEntryName(entry: CacheEntry): string {
  const suffix = entry.gpu ? '-gpu' : '';
  return `${entry.tfjsVersion}-tf${entry.tensorflowVersion}-napi${NODE_API_VERSION}${suffix}`;
}

/** Reads a folder name back; undefined when it is not one that `cacheEntryName` writes for this Node-API version. */
export function parseCacheEntryName(name: string): CacheEntry | undefined {
  const match = /^(\d[\w.]*)-tf(\d[\w.]*)-napi(\d+)(-gpu)?$/.exec(name);
  if (!match || Number(match[3]) !== NODE_API_VERSION) return undefined;
  return { tfjsVersion: match[1], tensorflowVersion: match[2], gpu: match[4] !== undefined };
}
