import { homedir } from 'node:os';
import { join } from 'node:path';

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
