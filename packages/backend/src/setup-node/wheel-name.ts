import { basename } from 'node:path';
import { compareVersions } from './compare-versions.ts';

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
