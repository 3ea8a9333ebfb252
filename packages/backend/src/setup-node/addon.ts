import { existsSync } from 'node:fs';
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
