import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { firstErrorLine, runCommand } from './find-tools.ts';

/** An installed npm package. */
export interface InstalledPackage {
  name: string;
  version: string;
  directory: string;
}

/** npm name of tfjs-node's two variants. */
export function tfjsNodeName(gpu: boolean): string {
  return gpu ? '@tensorflow/tfjs-node-gpu' : '@tensorflow/tfjs-node';
}

/** Finds a package as code in a folder would import it; undefined when it is not installed there. */
export function findPackage(name: string, directory: string): InstalledPackage | undefined {
  try {
    const file = createRequire(join(directory, 'package.json')).resolve(`${name}/package.json`);
    const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
    return { name, version, directory: dirname(file) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

/**
 * Version of the `@tensorflow/tfjs-core` that this package uses: the addon's JavaScript half must have the same.
 *
 * @throws Error when tfjs-core, a peer dependency, is not installed.
 */
export function tfjsCoreVersion(directory: string = import.meta.dirname): string {
  const core = findPackage('@tensorflow/tfjs-core', directory);
  if (core) return core.version;
  throw new Error(
    `tfjsCoreVersion: @tensorflow/tfjs-core must be installed, got none for ${directory} (npm install @tensorflow/tfjs-core)`,
  );
}

/**
 * Installs tfjs-node's JavaScript half without its install script, which would download a binary of 2022.
 *
 * @param name `@tensorflow/tfjs-node` or `@tensorflow/tfjs-node-gpu`.
 * @param version Version equal to tfjs-core's.
 * @param directory Folder that receives `node_modules/`.
 * @throws Error with npm's reason.
 */
export async function installPackage(
  name: string,
  version: string,
  directory: string,
): Promise<InstalledPackage> {
  const args = [
    'install',
    '--prefix',
    directory,
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--no-package-lock',
  ];
  const { code, output } = await runCommand('npm', [...args, `${name}@${version}`]);
  const installed = code === 0 ? findPackage(name, directory) : undefined;
  if (installed) return installed;
  throw new Error(
    `installPackage: npm must install ${name}@${version}, got "${firstErrorLine(output)}" ` +
      `(add it to the project: npm install --ignore-scripts ${name}@${version})`,
  );
}
