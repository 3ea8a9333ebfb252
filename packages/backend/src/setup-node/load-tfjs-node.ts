import { existsSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { join } from 'node:path';
import { operationsFile } from './addon.ts';
import { findPackage, type InstalledPackage, tfjsCoreVersion, tfjsNodeName } from './find-package.ts';
import {
  ADDON_FILE,
  defaultCacheDirectory,
  findSetupRecord,
  NODE_API_VERSION,
  type SetupRecord,
} from './setup-record.ts';

export interface LoadTfjsNodeOptions {
  /** Load the CUDA build. @default false */
  gpu?: boolean;
  /** TensorFlow release of the build to take. @default the newest that was built */
  tensorflow?: string;
  /** Folder of builds. @default that of `defaultCacheDirectory` */
  cacheDirectory?: string;
  /** Folder whose `node_modules` may hold `@tensorflow/tfjs-node`. @default process.cwd() */
  projectDirectory?: string;
  /** Threads for one kernel. Works before the first load in a process only. @default one per core */
  threads?: number;
}

export interface LoadedTfjsNode {
  /** Everything `@tensorflow/tfjs-node` exports. */
  tf: Record<string, unknown>;
  /** Name of the registered backend. */
  backendName: 'tensorflow';
  /** Path of the addon in use. */
  addon: string;
  /** 'built' by `setupNode`, or 'package': the binary that the package's own install script left. */
  source: 'built' | 'package';
  /** Version of TensorFlow when known from the build. */
  tensorflowVersion?: string;
  /** True when operations of our own serve training, see `setupNode`. `VOXFACE_OWN_OPERATIONS=0` keeps them out, `=1` takes them on AVX-512 too. */
  hasOwnOperations: boolean;
  /** True when TensorFlow found a GPU; false on the CUDA build means that it computes on the CPU instead. */
  usesGpu: boolean;
}

/**
 * Loads tfjs-node with the addon that `setupNode` built and registers its backend, `tensorflow`. When nothing was built,
 * the binary of the package's own install script serves, if there is one.
 *
 * The package asks `@mapbox/node-pre-gyp` where its addon is; the answer is put in its place while it loads. A later
 * `require('@tensorflow/tfjs-node')` of the same copy gets the loaded module. tfjs-node makes its backend the current one.
 *
 * @throws Error when there is neither a build nor a binary, or loading it fails.
 */
export function loadTfjsNode(options: LoadTfjsNodeOptions = {}): LoadedTfjsNode {
  const gpu = options.gpu ?? false;
  const name = tfjsNodeName(gpu);
  const tfjsVersion = tfjsCoreVersion();
  const projectDirectory = options.projectDirectory ?? process.cwd();
  const cacheDirectory = options.cacheDirectory ?? defaultCacheDirectory();
  const record = findSetupRecord(cacheDirectory, { tfjsVersion, gpu, tensorflowVersion: options.tensorflow });
  const installed = usablePackage(name, tfjsVersion, projectDirectory, record);
  const own = installed && join(installed.directory, 'lib', `napi-v${NODE_API_VERSION}`, ADDON_FILE);
  const addon = record?.addon ?? (own && existsSync(own) ? own : undefined);
  if (!installed || !addon) {
    const ofVersion = options.tensorflow ? ` of TensorFlow ${options.tensorflow}` : '';
    const build = record ? `a build in ${record.directory}` : `no build${ofVersion} in ${cacheDirectory}`;
    const half = installed ? `${name} ${tfjsVersion} without its addon` : `no ${name} ${tfjsVersion}`;
    throw new Error(
      `loadTfjsNode: tfjs-node must have been set up, got ${half} and ${build} ` +
        `(run: npx voxface setup-node${gpu ? ' --gpu' : ''})`,
    );
  }
  if (options.threads !== undefined) process.env.TF_NUM_INTRAOP_THREADS = String(options.threads);
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  // TensorFlow leaves oneDNN off where the processor has no VNNI; without it 3D convolutions differentiate 20 to 25 times slower.
  if (process.arch === 'x64') process.env.TF_ENABLE_ONEDNN_OPTS ??= '1';
  const tf = requireWithAddon(installed, addon);
  const state = (tf as unknown as NativeModule).findBackend('tensorflow') ?? {};
  state.hasOwnOperations = record !== undefined && !gpu && loadOperations(record.directory);
  const source = record ? 'built' : 'package';
  const { tensorflowVersion } = record ?? {};
  const { hasOwnOperations, isUsingGpuDevice: usesGpu = false } = state;
  return { tf, backendName: 'tensorflow', addon, source, tensorflowVersion, usesGpu, hasOwnOperations };
}

interface NativeModule {
  findBackend(name: string): NativeState | undefined;
}

/** What is read and set on the backend that tfjs-node registers. */
interface NativeState {
  isUsingGpuDevice?: boolean;
  hasOwnOperations?: boolean;
}

/**
 * Registers our own operations with TensorFlow, where `setupNode` compiled them and this processor is one for them. The library says 0 where it
 * lacks AVX2, 1 where it has AVX-512, for which oneDNN's kernels may be faster, and 2 otherwise.
 */
function loadOperations(directory: string): boolean {
  const setting = process.env.VOXFACE_OWN_OPERATIONS;
  const file = operationsFile(directory);
  if (setting === '0' || file === undefined || !existsSync(file)) return false;
  try {
    return createRequire(import.meta.url)(file) >= (setting === '1' ? 1 : 2);
  } catch {
    // Of another system: TensorFlow's own kernels serve.
    return false;
  }
}

/** The project's own tfjs-node when its version is that of tfjs-core, else the copy that the set-up fetched. */
function usablePackage(
  name: string,
  version: string,
  projectDirectory: string,
  record: SetupRecord | undefined,
): InstalledPackage | undefined {
  const candidates = [projectDirectory, import.meta.dirname].map((directory) => findPackage(name, directory));
  const own = candidates.find((candidate) => candidate?.version === version);
  if (own) return own;
  return record?.packageDirectory ? { name, version, directory: record.packageDirectory } : undefined;
}

type Resolver = (request: string, parent?: { filename?: string }, ...rest: unknown[]) => string;

/**
 * Requires tfjs-node, answering its two questions: where the addon is, and which `@tensorflow/tfjs-*` to use, namely
 * those that this package uses. Other copies of them would register their kernels and gradients once more, over ours.
 */
function requireWithAddon(installed: InstalledPackage, addon: string): Record<string, unknown> {
  const require = createRequire(join(installed.directory, 'package.json'));
  restoreUtil(require('node:util') as Record<string, unknown>);
  const locator = require.resolve('@mapbox/node-pre-gyp');
  const before = require.cache[locator];
  const answer = new Module(locator);
  answer.filename = locator;
  answer.loaded = true;
  answer.exports = { find: () => addon };
  require.cache[locator] = answer;
  const internals = Module as unknown as { _resolveFilename: Resolver };
  const resolve = internals._resolveFilename;
  internals._resolveFilename = sharingResolver(resolve, installed.version);
  try {
    return require(installed.directory) as Record<string, unknown>;
  } catch (error) {
    throw new Error(
      `loadTfjsNode: the addon must load, got "${(error as Error).message.split('\n')[0]}" ` +
        '(build it again for this system: npx voxface setup-node)',
      { cause: error },
    );
  } finally {
    internals._resolveFilename = resolve;
    if (before) require.cache[locator] = before;
    else delete require.cache[locator];
  }
}

/** Resolves `@tensorflow/*` packages of one version from this package's place, where they are installed there. */
function sharingResolver(resolve: Resolver, version: string): Resolver {
  const here = createRequire(import.meta.url);
  let looking = false;
  return function (this: unknown, request, ...rest) {
    const name = /^@tensorflow\/[^/]+/.exec(request)?.[0];
    if (name === undefined || looking) return resolve.call(this, request, ...rest);
    looking = true;
    try {
      const shared = findPackage(name, import.meta.dirname)?.version === version;
      return shared ? here.resolve(request) : resolve.call(this, request, ...rest);
    } finally {
      looking = false;
    }
  };
}

/** Node 23 dropped two functions of `node:util` that tfjs-node 4.22 calls; Node 22 warns of each call. */
function restoreUtil(util: Record<string, unknown>): void {
  util.isNullOrUndefined = (value: unknown): boolean => value === null || value === undefined;
  util.isArray = Array.isArray;
}
