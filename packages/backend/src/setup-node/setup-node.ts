import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { addCudaLibraries } from './add-cuda-libraries.ts';
import { buildAddon, buildOperations, checkAddon } from './addon.ts';
import {
  findPackage,
  type InstalledPackage,
  installPackage,
  tfjsCoreVersion,
  tfjsNodeName,
} from './find-package.ts';
import { findCompiler, findNodeHeaders, findPip } from './find-tools.ts';
import {
  type CacheEntry,
  cacheEntryName,
  defaultCacheDirectory,
  readSetupRecord,
  type SetupRecord,
  writeSetupRecord,
} from './setup-record.ts';
import { checkWheel, downloadWheel, extractLibraries, glibcVersion, wheelMachine } from './wheel.ts';

export interface SetupNodeOptions {
  /** Build against the CUDA wheel and fetch the CUDA 12 packages it names (about 3 GB). */
  gpu?: boolean;
  /** A TensorFlow wheel already at hand, instead of a download. */
  wheel?: string;
  /** TensorFlow release to download. */
  tensorflow?: string;
  /** Folder of builds. @default `$XDG_CACHE_HOME/voxface/tfjs-node` or `~/.cache/voxface/tfjs-node` */
  cacheDirectory?: string;
  /** Folder whose `node_modules` may hold `@tensorflow/tfjs-node`. @default process.cwd() */
  projectDirectory?: string;
  /** Build anew even when the cache holds this build. */
  force?: boolean;
  /** Receives one line per step. */
  log?: (line: string) => void;
}

/** The newest TensorFlow that the addon was built and tested with. */
export const SETUP_NODE_DEFAULTS = { gpu: false, tensorflow: '2.21.0', force: false } as const;

export interface SetupNodeResult extends SetupRecord {
  /** False when the cache already held the build. */
  built: boolean;
  /** True when TensorFlow found a GPU. */
  usesGpu: boolean;
  /** Time it took, in seconds. */
  seconds: number;
}

/**
 * Builds tfjs-node's addon against the TensorFlow inside a wheel from PyPI, into the user's cache, and checks that it
 * computes. `loadTfjsNode` then finds it; nothing in any `node_modules` is changed.
 *
 * Steps: fetch the wheel (pip), unpack its two libraries and C headers, find or fetch the JavaScript half (npm), compile
 * (two files), load and multiply in a process of its own. A failed set-up leaves nothing behind. Then, on x64, our own operations for
 * training are compiled beside it; builds that an older version made get them too.
 *
 * @throws Error with one line that names the step, what it needs, what it got and the way out.
 */
export async function setupNode(options: SetupNodeOptions = {}): Promise<SetupNodeResult> {
  const started = performance.now();
  const { gpu, tensorflow, force } = { ...SETUP_NODE_DEFAULTS, ...withoutUndefined(options) };
  const machine = wheelMachine();
  const tensorflowVersion = options.wheel ? wheelVersion(options.wheel, gpu, machine) : tensorflow;
  const entry: CacheEntry = { tfjsVersion: tfjsCoreVersion(), tensorflowVersion, gpu };
  const cacheDirectory = resolve(options.cacheDirectory ?? defaultCacheDirectory());
  const directory = join(cacheDirectory, cacheEntryName(entry));
  const existing = force ? undefined : usableRecord(directory, entry, options);
  if (!existing) await buildInto(directory, cacheDirectory, entry, machine, options);
  else options.log?.(`found the build in ${directory}`);
  const record = readSetupRecord(directory)!;
  const { usesGpu } = await checkAddon(record.addon);
  if (!gpu) await addOperations(record, options);
  const seconds = (performance.now() - started) / 1000;
  const device = usesGpu ? 'GPU' : 'CPU';
  options.log?.(`tfjs-node ${entry.tfjsVersion} with TensorFlow ${tensorflowVersion} works on the ${device}`);
  if (gpu && !usesGpu)
    options.log?.("no GPU was found: NVIDIA's driver with its libcuda.so.1 must be installed");
  return { ...record, built: !existing, usesGpu, seconds };
}

/** Adds our own operations to a build that lacks them or has older ones. Without them TensorFlow's kernels serve. */
async function addOperations({ directory, addon }: SetupRecord, { log }: SetupNodeOptions): Promise<void> {
  const reason = await findCompiler().then(
    (compiler) => buildOperations(compiler, directory, addon),
    (error: Error) => error.message,
  );
  log?.(
    reason === undefined
      ? 'operations of our own for training are there (processors with AVX2 use them)'
      : `no operations of our own, TensorFlow's serve: ${reason}`,
  );
}

/** The build in the cache, unless it lacks the JavaScript half and this project has none of its own. */
function usableRecord(
  directory: string,
  entry: CacheEntry,
  options: SetupNodeOptions,
): SetupRecord | undefined {
  const record = readSetupRecord(directory);
  return record?.packageDirectory || ownPackage(entry, options) ? record : undefined;
}

/** tfjs-node of the project, when it has one of the right version. */
function ownPackage(entry: CacheEntry, options: SetupNodeOptions): InstalledPackage | undefined {
  const found = findPackage(tfjsNodeName(entry.gpu), options.projectDirectory ?? process.cwd());
  return found?.version === entry.tfjsVersion ? found : undefined;
}

/** Makes the build in a folder beside its place and moves it there once it works. */
async function buildInto(
  directory: string,
  cacheDirectory: string,
  entry: CacheEntry,
  machine: string,
  options: SetupNodeOptions,
): Promise<void> {
  const { log, wheel } = options;
  const compiler = await findCompiler();
  const pip = wheel && !entry.gpu ? undefined : await findPip();
  await mkdir(cacheDirectory, { recursive: true });
  const work = await mkdtemp(join(cacheDirectory, '.building-'));
  const made = join(work, 'build');
  const downloads = join(work, 'downloads');
  try {
    const download = pip && { pip, directory: downloads, machine, glibc: glibcVersion(), log };
    const requirement = `${entry.gpu ? 'tensorflow' : 'tensorflow-cpu'}==${entry.tensorflowVersion}`;
    const file = wheel ?? (await downloadWheel({ ...download!, requirement }));
    const libraries = await extractLibraries(file, made);
    log?.(`unpacked ${(libraries.size / 1e6).toFixed(0)} MB of TensorFlow ${entry.tensorflowVersion}`);
    if (entry.gpu) await addCudaLibraries(file, made, download!);
    const name = tfjsNodeName(entry.gpu);
    const own = ownPackage(entry, options);
    if (!own) log?.(`installing ${name} ${entry.tfjsVersion} beside the build, without its install script`);
    const installed = own ?? (await installPackage(name, entry.tfjsVersion, join(made, 'package')));
    const nodeHeaders = await findNodeHeaders(join(work, 'headers'));
    log?.(`compiling the addon (${compiler.join(' ')})`);
    const { tensorflowVersion } = entry;
    const { directory: packageDirectory } = installed;
    const addon = await buildAddon({
      packageDirectory,
      libraries,
      nodeHeaders,
      compiler,
      directory: made,
      tensorflowVersion,
    });
    await checkAddon(addon);
    await rm(libraries.includeDirectory, { recursive: true });
    writeSetupRecord(made, entry, own ? undefined : relative(made, packageDirectory));
    await rm(directory, { recursive: true, force: true });
    await rename(made, directory);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function wheelVersion(wheel: string, gpu: boolean, machine: string): string {
  const { version } = checkWheel(wheel, gpu, machine);
  if (existsSync(wheel)) return version;
  throw new Error(
    `setupNode: wheel must be a file, got ${wheel} (pip download --no-deps tensorflow-cpu writes one)`,
  );
}

function withoutUndefined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
