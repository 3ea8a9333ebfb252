import { mkdir, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Command } from './find-tools.ts';
import { firstErrorLine, runCommand } from './find-tools.ts';
import { extractZipEntry, listZip, type ZipEntry } from './read-zip.ts';

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

/** Parts of a wheel's file name (PEP 427). */
export interface WheelName {
  /** Distribution with underscores, such as `tensorflow_cpu`. */
  distribution: string;
  version: string;
  /** Platform tag, such as `manylinux_2_27_x86_64`. */
  platform: string;
}

/** Machine names of Python's platform tags, by Node's `process.arch`. */
const MACHINES: Partial<Record<NodeJS.Architecture, string>> = { x64: 'x86_64', arm64: 'aarch64' };

/**
 * Python's name of this machine, such as `x86_64`.
 *
 * @throws Error when no TensorFlow wheel for Linux exists for the system or processor.
 */
export function wheelMachine(platform: string = process.platform, arch: string = process.arch): string {
  const machine = MACHINES[arch as NodeJS.Architecture];
  if (platform !== 'linux' || machine === undefined) {
    throw new Error(
      `setupNode: builds on Linux x64 and arm64 only, got ${platform} ${arch} ` +
        '(install @tensorflow/tfjs-node with its own install script, or use the wasm or webgpu backend)',
    );
  }
  return machine;
}

/**
 * Splits a wheel's file name into its parts.
 *
 * @throws Error when the name is not that of a wheel.
 */
export function parseWheelName(file: string): WheelName {
  const parts = basename(file).split('-');
  const last = parts.at(-1) ?? '';
  if ((parts.length !== 5 && parts.length !== 6) || !last.endsWith('.whl')) {
    throw new Error(
      `parseWheelName: the file must be a wheel named NAME-VERSION-PYTHON-ABI-PLATFORM.whl, got ${basename(file)} ` +
        '(pip download --no-deps tensorflow-cpu writes one)',
    );
  }
  return { distribution: parts[0].toLowerCase(), version: parts[1], platform: last.slice(0, -'.whl'.length) };
}

/**
 * Checks that a wheel can serve: it is TensorFlow, for this machine, and with CUDA when `gpu` is asked for.
 *
 * @throws Error naming the file and the rule it breaks.
 */
export function checkWheel(file: string, gpu: boolean, machine: string = wheelMachine()): WheelName {
  const name = parseWheelName(file);
  const wanted = gpu
    ? ['tensorflow']
    : ['tensorflow', 'tensorflow_cpu', 'tensorflow_intel', 'tensorflow_cpu_aws'];
  if (!wanted.includes(name.distribution)) {
    throw new Error(
      `checkWheel: the wheel must be of ${wanted.slice(0, 2).join(' or ')}, got ${basename(file)} ` +
        `(pip download --no-deps ${gpu ? 'tensorflow' : 'tensorflow-cpu'})`,
    );
  }
  if (!name.platform.includes('linux') || !name.platform.endsWith(machine)) {
    throw new Error(
      `checkWheel: the wheel must be for Linux ${machine}, got ${basename(file)} ` +
        `(pip download --only-binary=:all: --platform manylinux_2_27_${machine} chooses one)`,
    );
  }
  return name;
}

/**
 * Takes the wheel of a distribution out of a folder listing, the newest when there are several.
 *
 * @param files File names.
 * @param distribution Name with hyphens or underscores, such as `tensorflow-cpu`.
 * @throws Error when there is none.
 */
export function chooseWheel(files: readonly string[], distribution: string): string {
  const wanted = distribution.replaceAll('-', '_').toLowerCase();
  const wheels = files.filter(
    (file) => file.endsWith('.whl') && parseWheelName(file).distribution === wanted,
  );
  wheels.sort((a, b) => compareVersions(parseWheelName(b).version, parseWheelName(a).version));
  if (wheels.length === 0) {
    throw new Error(
      `chooseWheel: the folder must hold a wheel of ${distribution}, got ${files.join(', ') || 'no file'} ` +
        '(pass the wheel itself)',
    );
  }
  return wheels[0];
}

/** The two libraries that hold TensorFlow's C interface and kernels. */
export const TENSORFLOW_LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'] as const;

/** Headers that the addon's two source files include, over the releases 2.12 to 2.21. */
const HEADERS = [
  /^tensorflow\/include\/tensorflow\/c\/.*\.h$/,
  /^tensorflow\/include\/(tensorflow\/core|tsl|tensorflow\/tsl|xla\/tsl)\/platform\/ctstring(_internal)?\.h$/,
  /^tensorflow\/include\/(tsl|tensorflow\/tsl|xla\/tsl)\/c\/.*\.h$/,
];

export interface ExtractedLibraries {
  /** Folder with `libtensorflow_*.so.2`. */
  libraryDirectory: string;
  /** Folder to search for `tensorflow/c/c_api.h`. */
  includeDirectory: string;
  /** Bytes written. */
  size: number;
}

/**
 * Unpacks out of a TensorFlow wheel what the addon needs, and nothing else: two libraries and the C headers.
 *
 * @param wheel The wheel.
 * @param directory Receives `tensorflow/*.so.2` and `tensorflow/include/...`, as laid out in the wheel: the libraries
 * of a CUDA wheel look for `../nvidia/NAME/lib` beside that folder.
 * @throws Error when the wheel lacks one of the libraries or the header of the C interface.
 */
export async function extractLibraries(wheel: string, directory: string): Promise<ExtractedLibraries> {
  const entries = await listZip(wheel);
  const libraries = TENSORFLOW_LIBRARIES.map((name) => requireEntry(entries, `tensorflow/${name}`, wheel));
  requireEntry(entries, 'tensorflow/include/tensorflow/c/c_api.h', wheel);
  const headers = entries.filter((entry) => HEADERS.some((pattern) => pattern.test(entry.name)));
  let size = 0;
  for (const entry of [...libraries, ...headers]) {
    await extractZipEntry(wheel, entry, join(directory, entry.name));
    size += entry.size;
  }
  return {
    libraryDirectory: join(directory, 'tensorflow'),
    includeDirectory: join(directory, 'tensorflow', 'include'),
    size,
  };
}

function requireEntry(entries: readonly ZipEntry[], name: string, wheel: string): ZipEntry {
  const found = entries.find((entry) => entry.name === name);
  if (found) return found;
  throw new Error(
    `extractLibraries: the wheel must hold ${name}, got ${basename(wheel)} without it ` +
      '(take a Linux wheel of tensorflow-cpu or tensorflow, 2.12 or later)',
  );
}

/**
 * Orders dotted version numbers: negative when `a` is older than `b`, positive when newer, 0 when equal.
 * Parts are compared as numbers; text after the number of a part (`0rc1`, `0.post1`) does not count.
 */
export function compareVersions(a: string, b: string): number {
  const left = a.split('.').map((part) => Number.parseInt(part, 10) || 0);
  const right = b.split('.').map((part) => Number.parseInt(part, 10) || 0);
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
