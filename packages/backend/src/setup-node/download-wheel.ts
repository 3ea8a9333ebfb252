import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from './find-tools.ts';
import { firstErrorLine, runCommand } from './run-command.ts';
import { chooseWheel } from './wheel-name.ts';

export interface DownloadWheelOptions {
  /** pip, as `findPip` returns it. */
  pip: Command;
  /** Requirement as pip takes it, such as `tensorflow-cpu==2.21.0` or `nvidia-nccl-cu12<3.0,>=2.27.7`. */
  requirement: string;
  /** Folder to write to; made when missing. */
  directory: string;
  /** Python's name of the processor, such as `x86_64`. */
  machine: string;
  /** Version of the C library, such as `2.36`. */
  glibc: string;
  log?: (line: string) => void;
}

/**
 * Python versions to ask for, in order. The wheel is only unpacked, never run by Python, so it need not fit the
 * Python that is installed here.
 */
const PYTHON_VERSIONS = ['3.11', '3.13'];

/** Version of the C library this Node runs on. @throws Error on systems without glibc, such as Alpine. */
export function glibcVersion(): string {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  const version = report.header?.glibcVersionRuntime;
  if (version) return version;
  throw new Error(
    'setupNode: TensorFlow wheels need glibc, got a system with another C library ' +
      '(use a glibc system such as Debian, or the wasm backend)',
  );
}

/** Platform tags of the wheels that run with a version of glibc, newest first. */
export function platformTags(glibc: string, machine: string): string[] {
  const minor = Number(glibc.split('.')[1]);
  const tags: string[] = [];
  for (let i = minor; i >= 17; i--) tags.push(`manylinux_2_${i}_${machine}`);
  tags.push(`manylinux2014_${machine}`, `manylinux2010_${machine}`, `manylinux1_${machine}`);
  return tags;
}

/**
 * Fetches one wheel with pip, without its dependencies.
 *
 * @returns Path of the wheel.
 * @throws Error with pip's own reason when there is no such wheel or no connection.
 */
export async function downloadWheel(options: DownloadWheelOptions): Promise<string> {
  const { pip, requirement, directory, machine, glibc } = options;
  await mkdir(directory, { recursive: true });
  const platforms = platformTags(glibc, machine).flatMap((tag) => ['--platform', tag]);
  let reason = '';
  for (const python of PYTHON_VERSIONS) {
    options.log?.(`downloading ${requirement} (pip, Python ${python} wheel)`);
    const args = ['download', '--no-deps', '--only-binary=:all:', '--progress-bar', 'off', '--no-input'];
    args.push(
      '--implementation',
      'cp',
      '--python-version',
      python,
      ...platforms,
      '-d',
      directory,
      requirement,
    );
    const { code, output } = await runCommand(pip[0], [...pip.slice(1), ...args]);
    if (code === 0)
      return join(directory, chooseWheel(await readdir(directory), /^[\w.-]+/.exec(requirement)![0]));
    reason ||= firstErrorLine(shortenVersions(output));
  }
  throw new Error(
    `downloadWheel: pip must find ${requirement} for ${machine}, got "${reason}" ` +
      '(check the connection and the version, or pass a downloaded wheel)',
  );
}

/** Cuts pip's list of the versions there are to the three newest. */
export function shortenVersions(output: string): string {
  return output.replace(/\(from versions: ([^)]*)\)/g, (_, list: string) => {
    const versions = list.split(', ');
    return `(newest: ${versions.slice(-3).join(', ')})`;
  });
}
