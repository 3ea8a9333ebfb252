import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cudaRequirements, isCudaLibrary } from '../src/setup-node/add-cuda-libraries.ts';
import { extractZipEntry, listZip } from '../src/setup-node/read-zip.ts';
import {
  checkWheel,
  chooseWheel,
  downloadWheel,
  extractLibraries,
  parseWheelName,
  platformTags,
  shortenVersions,
  wheelMachine,
} from '../src/setup-node/wheel.ts';

import { temporaryDirectory, zip } from './setup-node-helpers.ts';

const CPU = 'tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl';
const GPU = 'tensorflow-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl';

describe('wheel names', () => {
  it('are split into their parts', () => {
    expect(parseWheelName(`dir/${CPU}`)).toEqual({
      distribution: 'tensorflow_cpu',
      version: '2.21.0',
      platform: 'manylinux_2_27_x86_64',
    });
    expect(() => parseWheelName('tensorflow.tar.gz')).toThrow(/must be a wheel .* got tensorflow\.tar\.gz/);
  });

  it('are checked against the machine and the variant', () => {
    expect(checkWheel(CPU, false, 'x86_64').version).toBe('2.21.0');
    expect(checkWheel(GPU, true, 'x86_64').version).toBe('2.21.0');
    expect(() => checkWheel(CPU, true, 'x86_64')).toThrow(/must be of tensorflow, got tensorflow_cpu-/);
    expect(() => checkWheel(CPU, false, 'aarch64')).toThrow(/must be for Linux aarch64/);
    const torch = 'torch-2.9.0-cp311-cp311-manylinux_2_28_x86_64.whl';
    expect(() => checkWheel(torch, false, 'x86_64')).toThrow(
      /must be of tensorflow or tensorflow_cpu, got torch-/,
    );
  });

  it('are chosen from a folder by distribution, newest first', () => {
    const files = ['notes.txt', GPU, CPU.replace('2.21.0', '2.9.1'), CPU];
    expect(chooseWheel(files, 'tensorflow-cpu')).toBe(CPU);
    expect(chooseWheel(files, 'tensorflow')).toBe(GPU);
    expect(() => chooseWheel(['notes.txt'], 'tensorflow')).toThrow(/wheel of tensorflow, got notes\.txt/);
  });

  it('exist for Linux only', () => {
    expect(wheelMachine('linux', 'x64')).toBe('x86_64');
    expect(wheelMachine('linux', 'arm64')).toBe('aarch64');
    expect(() => wheelMachine('darwin', 'arm64')).toThrow(/Linux x64 and arm64 only, got darwin arm64/);
    expect(() => wheelMachine('linux', 'ia32')).toThrow(/got linux ia32/);
  });
});

describe('download', () => {
  it('asks for every platform tag that the C library runs', () => {
    const tags = platformTags('2.28', 'x86_64');
    expect(tags[0]).toBe('manylinux_2_28_x86_64');
    expect(tags).toContain('manylinux_2_17_x86_64');
    expect(tags).toContain('manylinux2014_x86_64');
    expect(tags).not.toContain('manylinux_2_29_x86_64');
  });

  const fakePip = (script: string) => [process.execPath, '-e', script, '--'] as const;
  const options = { requirement: 'tensorflow-cpu==9.9.9', machine: 'x86_64', glibc: '2.36' };

  it('passes on what pip says when it fails', async () => {
    const script =
      'console.error("ERROR: No matching distribution found for tensorflow-cpu==9.9.9");process.exit(1)';
    const run = downloadWheel({ ...options, pip: fakePip(script), directory: temporaryDirectory() });
    await expect(run).rejects.toThrow(
      /^downloadWheel: pip must find tensorflow-cpu==9\.9\.9 for x86_64, got "ERROR: No matching distribution/,
    );
  });

  it('shortens the list of versions that pip prints', () => {
    expect(shortenVersions('ERROR: none (from versions: 1.0, 1.1, 1.2, 2.0)\nmore')).toBe(
      'ERROR: none (newest: 1.1, 1.2, 2.0)\nmore',
    );
  });

  it('returns the wheel that pip wrote', async () => {
    const script = `const a=process.argv;require('fs').writeFileSync(a[a.indexOf('-d')+1]+'/${CPU}','')`;
    const directory = temporaryDirectory();
    const wheel = await downloadWheel({ ...options, pip: fakePip(script), directory });
    expect(wheel).toBe(join(directory, CPU));
  });
});

describe('archives', () => {
  it('are listed and unpacked, stored and deflated', async () => {
    const directory = temporaryDirectory();
    const archive = join(directory, 'a.zip');
    const long = 'voxel '.repeat(1000);
    writeFileSync(archive, zip({ 'a/long.txt': long, 'b.txt': 'stored', empty: '' }));
    const entries = await listZip(archive);
    expect(entries.map(({ name, method, size }) => [name, method, size])).toEqual([
      ['a/long.txt', 8, 6000],
      ['b.txt', 0, 6],
      ['empty', 8, 0],
    ]);
    for (const entry of entries) await extractZipEntry(archive, entry, join(directory, 'out', entry.name));
    expect(readFileSync(join(directory, 'out/a/long.txt'), 'utf8')).toBe(long);
    expect(readFileSync(join(directory, 'out/b.txt'), 'utf8')).toBe('stored');
    expect(readFileSync(join(directory, 'out/empty'), 'utf8')).toBe('');
  });

  it('refuses a directory that lies elsewhere, names that lead out, and data of another size', async () => {
    const archive = join(temporaryDirectory(), 'a.zip');
    const good = zip({ 'a.txt': 'text' });
    const changed = (change: (bytes: Buffer) => void): void => {
      const bytes = Buffer.from(good);
      change(bytes);
      writeFileSync(archive, bytes);
    };
    const end = good.length - 22;
    changed((bytes) => bytes.writeUInt32LE(0xd4a51234, end + 12));
    await expect(listZip(archive)).rejects.toThrow(/directory must lie within its .* got 3567587892/);
    for (const name of [
      '../outside.h',
      '/etc/x',
      'tensorflow/include/tensorflow/c/../../../x.h',
      'C:/x',
      'a\\..\\..\\x',
    ]) {
      writeFileSync(archive, zip({ [name]: 'x' }));
      await expect(listZip(archive)).rejects.toThrow(/names must stay inside the folder/);
    }
    const directory = good.readUInt32LE(end + 16);
    changed((bytes) => bytes.writeUInt32LE(2, directory + 24));
    const [entry] = await listZip(archive);
    await expect(extractZipEntry(archive, entry, `${archive}.txt`)).rejects.toThrow(
      /must have 2 bytes, got more/,
    );
    await expect(extractZipEntry(archive, { ...entry, offset: 3 }, `${archive}.txt`)).rejects.toThrow(
      /got other bytes/,
    );
    await expect(extractZipEntry(archive, { ...entry, offset: 1e6 }, `${archive}.txt`)).rejects.toThrow(
      /got other bytes/,
    );
  });

  it('are refused when cut short', async () => {
    const archive = join(temporaryDirectory(), 'a.zip');
    writeFileSync(archive, zip({ 'a.txt': 'text' }).subarray(0, 40));
    await expect(listZip(archive)).rejects.toThrow(
      /must be a complete zip archive, got .*a\.zip of 40 bytes/,
    );
  });
});

describe('libraries', () => {
  const files = {
    'tensorflow/libtensorflow_cc.so.2': 'cc',
    'tensorflow/libtensorflow_framework.so.2': 'framework',
    'tensorflow/include/tensorflow/c/c_api.h': 'c',
    'tensorflow/include/tensorflow/c/eager/c_api.h': 'eager',
    'tensorflow/include/tensorflow/core/platform/ctstring.h': 'string',
    'tensorflow/include/tsl/platform/ctstring_internal.h': 'string',
    'tensorflow/include/xla/tsl/c/tsl_status.h': 'status',
    'tensorflow/include/tensorflow/core/framework/op.h': 'not needed',
    'tensorflow/python/keras.py': 'not needed',
  };

  it('are unpacked with the C headers and nothing else', async () => {
    const directory = temporaryDirectory();
    const wheel = join(directory, CPU);
    writeFileSync(wheel, zip(files));
    const out = join(directory, 'out');
    const { size, includeDirectory } = await extractLibraries(wheel, out);
    expect(size).toBe('cc'.length + 'framework'.length + 'c'.length + 'eager'.length + 2 * 6 + 6);
    expect(readFileSync(join(includeDirectory, 'tensorflow/c/eager/c_api.h'), 'utf8')).toBe('eager');
    expect(existsSync(join(out, 'tensorflow/libtensorflow_framework.so.2'))).toBe(true);
    expect(existsSync(join(includeDirectory, 'tensorflow/core/framework/op.h'))).toBe(false);
    expect(existsSync(join(out, 'tensorflow/python/keras.py'))).toBe(false);
  });

  it('must be in the wheel', async () => {
    const directory = temporaryDirectory();
    const wheel = join(directory, CPU);
    const { 'tensorflow/libtensorflow_cc.so.2': _, ...rest } = files;
    writeFileSync(wheel, zip(rest));
    await expect(extractLibraries(wheel, join(directory, 'out'))).rejects.toThrow(
      /the wheel must hold tensorflow\/libtensorflow_cc\.so\.2, got tensorflow_cpu-2\.21\.0/,
    );
  });
});

describe('CUDA packages', () => {
  it('are those of the extra and-cuda', () => {
    const metadata = [
      'Requires-Dist: numpy>=1.26.0',
      'Requires-Dist: nvidia-cudnn-cu12<10.0,>=9.3.0.75; extra == "and-cuda"',
      "Requires-Dist: nvidia-nccl-cu12 (>=2.25) ; extra == 'and-cuda'",
      'Requires-Dist: tensorflow-text~=2.21.0; extra == "text"',
    ].join('\n');
    expect(cudaRequirements(metadata)).toEqual([
      'nvidia-cudnn-cu12<10.0,>=9.3.0.75',
      'nvidia-nccl-cu12>=2.25',
    ]);
  });

  it('are unpacked for their shared libraries', () => {
    expect(isCudaLibrary('nvidia/cudnn/lib/libcudnn_ops.so.9')).toBe(true);
    expect(isCudaLibrary('nvidia/cuda_runtime/lib/libcudart.so.12')).toBe(true);
    expect(isCudaLibrary('nvidia/cudnn/include/cudnn.h')).toBe(false);
    expect(isCudaLibrary('nvidia/cublas/lib/__init__.py')).toBe(false);
  });
});
