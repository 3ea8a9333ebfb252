import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from './find-tools.ts';
import { firstErrorLine, runCommand } from './find-tools.ts';
import { ADDON_FILE, NODE_API_VERSION } from './setup-record.ts';
import { type ExtractedLibraries, TENSORFLOW_LIBRARIES } from './wheel.ts';

const SOURCES = ['tfjs_backend.cc', 'tfjs_binding.cc'];

export interface BuildAddonOptions {
  /** Folder of the installed package `@tensorflow/tfjs-node` or `-gpu`, whose `binding/` holds the sources. */
  packageDirectory: string;
  libraries: ExtractedLibraries;
  /** Folder with `node_api.h`. */
  nodeHeaders: string;
  compiler: Command;
  /** Folder to write the addon to: the parent of `libraries.libraryDirectory`. */
  directory: string;
  /** For messages. */
  tensorflowVersion: string;
}

/**
 * Compiles tfjs-node's addon against the libraries of a wheel, with one call of the compiler. The addon is two files
 * of plain Node-API C++: the flags below are those that node-gyp passes for it, without node-gyp's need of Python
 * and of a download of Node's headers. The addon finds TensorFlow through `$ORIGIN/tensorflow`, so its folder can be moved.
 *
 * @returns Path of the addon.
 * @throws Error with the compiler's first error line.
 */
export async function buildAddon(options: BuildAddonOptions): Promise<string> {
  const { packageDirectory, libraries, compiler, directory } = options;
  const sources = SOURCES.map((file) => join(packageDirectory, 'binding', file));
  const missing = sources.find((file) => !existsSync(file));
  if (missing) {
    throw new Error(
      `buildAddon: the package must hold its C++ sources, got no ${missing} (reinstall @tensorflow/tfjs-node)`,
    );
  }
  const addon = join(directory, ADDON_FILE);
  const args = ['-std=c++17', '-O3', '-fPIC', '-shared', '-pthread', '-fno-exceptions', '-fno-rtti', '-w'];
  args.push(
    `-DNAPI_VERSION=${NODE_API_VERSION}`,
    '-DBUILDING_NODE_EXTENSION',
    '-DNODE_GYP_MODULE_NAME=tfjs_binding',
  );
  args.push('-I', options.nodeHeaders, '-I', libraries.includeDirectory, ...sources, '-o', addon);
  args.push(...TENSORFLOW_LIBRARIES.map((file) => join(libraries.libraryDirectory, file)));
  args.push('-Wl,-rpath,$ORIGIN/tensorflow', '-Wl,-z,now');
  const { code, output } = await runCommand(compiler[0], [...compiler.slice(1), ...args]);
  if (code === 0) return addon;
  throw new Error(
    `buildAddon: tfjs-node must compile against TensorFlow ${options.tensorflowVersion}, got "${firstErrorLine(output)}" ` +
      '(see docs/native-node.md for the versions that fit, and pass one as tensorflow)',
  );
}

/** Our operations are vector code for x64; processors without AVX2 register none of them. */
const OPERATION_FLAGS = ['-std=c++17', '-O3', '-mavx2', '-mfma', '-fPIC', '-shared', '-pthread'];
OPERATION_FLAGS.push('-fvisibility=hidden', '-fno-exceptions', '-fno-rtti', '-w');

/** The sources of our operations, which ship with this package; undefined for other processors. */
function operationSources(): string[] | undefined {
  if (process.arch !== 'x64') return undefined;
  const folders = ['..', '../..'].map((up) => join(import.meta.dirname, up, 'kernels', 'native'));
  const folder = folders.find((candidate) => existsSync(candidate));
  return folder === undefined ? undefined : readdirSync(folder).map((name) => join(folder, name));
}

/** Where the library of our operations is in a build: named after its sources, so that one of other sources is not taken for it. */
export function operationsFile(directory: string): string | undefined {
  const sources = operationSources();
  if (sources === undefined) return undefined;
  const hash = createHash('sha256').update(OPERATION_FLAGS.join());
  for (const source of sources.sort()) hash.update(readFileSync(source));
  return join(directory, `operations-${hash.digest('hex').slice(0, 12)}.node`);
}

/**
 * Compiles our TensorFlow operations (`kernels/native`) beside an addon, unless they are there, and checks that they compute. They need TensorFlow's
 * library but none of its headers, so builds of older versions of this package get them too.
 *
 * @param addon Path of the addon in a finished build.
 * @returns Why there are none; undefined when there are.
 */
export async function buildOperations(
  compiler: Command,
  directory: string,
  addon: string,
): Promise<string | undefined> {
  const file = operationsFile(directory);
  if (file === undefined) return 'they are written for x64';
  if (existsSync(file)) return undefined;
  const made = `${file}.${process.pid}.node`;
  const library = join(directory, 'tensorflow', TENSORFLOW_LIBRARIES[1]);
  const sources = operationSources()!.filter((source) => source.endsWith('.cc'));
  const args = [...OPERATION_FLAGS, ...sources, '-o', made, library, '-Wl,-rpath,$ORIGIN/tensorflow'];
  try {
    const compiled = await runCommand(compiler[0], [...compiler.slice(1), ...args]);
    if (compiled.code !== 0) return `the compiler said "${firstErrorLine(compiled.output)}"`;
    const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' };
    const ran = await runCommand(process.execPath, ['-e', OPERATIONS_SCRIPT, addon, made], { env });
    const result = ran.stdout.slice(ran.stdout.lastIndexOf('\n') + 1);
    if (ran.code !== 0) return `loading them gave "${firstErrorLine(ran.output)}"`;
    if (result !== '7,10,15,22' && result !== 'none')
      return `[[1, 2], [3, 4]] squared must be 7,10,15,22, got ${result}`;
    await rename(made, file);
    return undefined;
  } finally {
    await rm(made, { force: true });
  }
}

/** The filter's gradient of a convolution of kernel 1 is a matrix product. */
const OPERATIONS_SCRIPT = `
const binding = require(process.argv[1]);
const isRegistered = require(process.argv[2]) > 0;
const tensor = (...values) => binding.createTensor([2, 1, 1, 2], binding.TF_FLOAT, Float32Array.from(values));
const list = (name, value) => ({ name, type: binding.TF_ATTR_INT, value });
const attributes = [list('kernel', [1, 1]), list('strides', [1, 1]), list('before', [0, 0])];
const multiply = () => {
  const [product] = binding.executeOp('VoxfaceFilterGradient', attributes, [tensor(1, 3, 2, 4), tensor(1, 2, 3, 4)], 2);
  return Array.from(binding.tensorDataSync(product.id)).join();
};
process.stdout.write('\\n' + (isRegistered ? multiply() : 'none'));
`;

/** What the addon says of itself. */
export interface AddonCheck {
  /** Version of the TensorFlow library it is linked to. */
  tensorflowVersion: string;
  /** True when TensorFlow found a GPU to run on. */
  usesGpu: boolean;
}

const SCRIPT = `
const binding = require(process.argv[1]);
const values = Float32Array.of(1, 2, 3, 4);
const id = binding.createTensor([2, 2], binding.TF_FLOAT, values);
const attributes = [
  { name: 'transpose_a', type: binding.TF_ATTR_BOOL, value: false },
  { name: 'transpose_b', type: binding.TF_ATTR_BOOL, value: false },
  { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
];
const [product] = binding.executeOp('MatMul', attributes, [id, id], 1);
const result = Array.from(binding.tensorDataSync(product.id));
process.stdout.write('\\n' + JSON.stringify({ result, tensorflowVersion: binding.TF_Version, usesGpu: binding.isUsingGpuDevice() }));
`;

/**
 * Loads the addon in a process of its own, where a crash harms nobody, and multiplies two matrices with it.
 *
 * @throws Error with the loader's reason, or when the product is wrong.
 */
export async function checkAddon(addon: string): Promise<AddonCheck> {
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' };
  const { code, stdout, output } = await runCommand(process.execPath, ['-e', SCRIPT, addon], { env });
  if (code !== 0) {
    throw new Error(
      `checkAddon: the addon must load, got "${firstErrorLine(output)}" (see docs/native-node.md, or pass another version as tensorflow)`,
    );
  }
  const { result, ...check } = JSON.parse(stdout.slice(stdout.lastIndexOf('\n') + 1)) as AddonCheck & {
    result: number[];
  };
  if (result.join() !== '7,10,15,22') {
    throw new Error(
      `checkAddon: [[1, 2], [3, 4]] squared must be 7,10,15,22, got ${result.join()} (pass another version as tensorflow)`,
    );
  }
  return check;
}
