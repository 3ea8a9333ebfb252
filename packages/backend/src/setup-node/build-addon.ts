import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NODE_API_VERSION } from './cache-directory.ts';
import type { ExtractedLibraries } from './extract-libraries.ts';
import { TENSORFLOW_LIBRARIES } from './extract-libraries.ts';
import type { Command } from './find-tools.ts';
import { firstErrorLine, runCommand } from './run-command.ts';

/** File name of the addon, as tfjs-node calls it. */
export const ADDON_FILE = 'tfjs_binding.node';

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
