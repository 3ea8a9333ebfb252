import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildAddon, buildOperations, checkAddon, operationsFile } from '../src/setup-node/addon.ts';
import { findPackage, tfjsCoreVersion } from '../src/setup-node/find-package.ts';
import {
  findCompiler,
  findNodeHeaders,
  findPip,
  firstErrorLine,
  nodeHeaderDirectories,
  runCommand,
} from '../src/setup-node/find-tools.ts';
import { setupNode } from '../src/setup-node.ts';
import { temporaryDirectory, writeFiles } from './setup-node-helpers.ts';

describe('commands', () => {
  it('are run without a shell, both outputs kept', async () => {
    const lines: string[] = [];
    const script = 'console.log("out $HOME");console.error("err");process.exit(3)';
    const result = await runCommand(process.execPath, ['-e', script], { onLine: (line) => lines.push(line) });
    expect(result.code).toBe(3);
    expect(result.stdout).toBe('out $HOME\n');
    expect(result.output).toContain('err');
    expect(lines.sort()).toEqual(['err', 'out $HOME']);
  });

  it('that do not exist end with 127', async () => {
    expect((await runCommand('voxface-no-such-program', [])).code).toBe(127);
  });

  it('are summed up by their first error line', () => {
    expect(firstErrorLine('In file a.h\na.cc:3: error: no member TF_X\nmake: Error 1')).toBe(
      'a.cc:3: error: no member TF_X',
    );
    expect(firstErrorLine('one\ntwo\n')).toBe('two');
    expect(firstErrorLine('')).toBe('no output');
  });
});

describe('tools', () => {
  it('are the first that answer', async () => {
    const node = [process.execPath] as const;
    expect(await findPip([['voxface-no-such-program'], node])).toBe(node);
    expect(await findCompiler([node])).toBe(node);
  });

  it('that are missing are named with the way out', async () => {
    await expect(findPip([['voxface-no-python', '-m', 'pip']])).rejects.toThrow(
      /^findPip: Python with pip is needed .* got no answer from voxface-no-python -m pip \(install python3-pip/,
    );
    await expect(findCompiler([['voxface-no-compiler']])).rejects.toThrow(
      /^findCompiler: a C\+\+17 compiler is needed .* voxface-no-compiler \(install g\+\+/,
    );
  });

  it('headers are looked for in the folders of the Node installation first', async () => {
    const directory = temporaryDirectory();
    writeFiles(directory, { 'node_api.h': '' });
    expect(await findNodeHeaders(join(directory, 'work'), ['/no/such/folder', directory])).toBe(directory);
    expect(nodeHeaderDirectories({ npm_config_nodedir: '/opt/node' })[0]).toBe('/opt/node/include/node');
  });

  it('packages are found as a project would import them', () => {
    const directory = temporaryDirectory();
    writeFiles(directory, { 'node_modules/@a/b/package.json': '{"name":"@a/b","version":"1.2.3"}' });
    expect(findPackage('@a/b', directory)).toMatchObject({ version: '1.2.3' });
    expect(findPackage('@a/c', directory)).toBeUndefined();
    expect(tfjsCoreVersion()).toBe('4.22.0');
  });
});

describe('build', () => {
  const build = (packageDirectory: string, compilerScript: string) =>
    buildAddon({
      packageDirectory,
      libraries: { libraryDirectory: 'lib', includeDirectory: 'include', size: 0 },
      nodeHeaders: 'headers',
      compiler: [process.execPath, '-e', compilerScript, '--'],
      directory: packageDirectory,
      tensorflowVersion: '9.9.9',
    });
  const sources = { 'binding/tfjs_backend.cc': '', 'binding/tfjs_binding.cc': '' };

  it('gives the compiler the sources, the libraries and a search path relative to the addon', async () => {
    const directory = temporaryDirectory();
    writeFiles(directory, sources);
    const script =
      'require("fs").writeFileSync(process.argv[process.argv.indexOf("-o")+1], process.argv.join("\\n"))';
    const addon = await build(directory, script);
    const args = readFileSync(addon, 'utf8').split('\n');
    expect(args).toContain('-Wl,-rpath,$ORIGIN/tensorflow');
    expect(args).toContain(join('lib', 'libtensorflow_cc.so.2'));
    expect(args).toContain(join(directory, 'binding', 'tfjs_binding.cc'));
  });

  it('that fails says which version does not fit and why', async () => {
    const directory = temporaryDirectory();
    writeFiles(directory, sources);
    const script = 'console.error("a.cc:1: error: TFE_X was not declared");process.exit(1)';
    await expect(build(directory, script)).rejects.toThrow(
      /^buildAddon: tfjs-node must compile against TensorFlow 9\.9\.9, got "a\.cc:1: error: TFE_X was not declared"/,
    );
  });

  it('needs the sources of the package', async () => {
    await expect(build(temporaryDirectory(), '')).rejects.toThrow(/must hold its C\+\+ sources/);
  });

  it('is checked by computing: a file that is no addon is refused', async () => {
    const directory = temporaryDirectory();
    writeFiles(directory, { 'tfjs_binding.node': 'not a library' });
    await expect(checkAddon(join(directory, 'tfjs_binding.node'))).rejects.toThrow(
      /the addon must load, got ".*Error/,
    );
  });

  it('is checked by computing: a wrong product is refused', async () => {
    const directory = temporaryDirectory();
    const fake =
      'module.exports={createTensor:()=>1,executeOp:()=>[{id:2}],tensorDataSync:()=>[0],isUsingGpuDevice:()=>false}';
    writeFiles(directory, { 'binding.cjs': fake });
    await expect(checkAddon(join(directory, 'binding.cjs'))).rejects.toThrow(/must be 7,10,15,22, got 0/);
  });
});

describe.skipIf(process.arch !== 'x64')('our operations', () => {
  const write =
    'const args = process.argv; require("fs").writeFileSync(args[args.indexOf("-o")+1], "module.exports=TYPE")';
  const fake = (result: string) =>
    `module.exports={createTensor:()=>1,executeOp:()=>[{id:2}],tensorDataSync:()=>[${result}]}`;
  const attempt = async (script: string, result = '') => {
    const directory = temporaryDirectory();
    writeFiles(directory, { 'binding.cjs': fake(result), 'register.cjs': REGISTER });
    const addon = join(directory, 'binding.cjs');
    const reason = await buildOperations([process.execPath, '-e', script, '--'], directory, addon);
    return {
      reason,
      left: readdirSync(directory).filter((name) => name.startsWith('operations')),
      directory,
    };
  };
  /** A stand-in for a library that Node loads: a script of the same name. */
  const REGISTER = 'require("module")._extensions[".node"] = require("module")._extensions[".js"]';
  const withScripts = async <T>(directory: string, run: () => Promise<T>): Promise<T> => {
    const { NODE_OPTIONS } = process.env;
    process.env.NODE_OPTIONS = `--require ${join(directory, 'register.cjs')}`;
    return run().finally(() => {
      if (NODE_OPTIONS === undefined) delete process.env.NODE_OPTIONS;
      else process.env.NODE_OPTIONS = NODE_OPTIONS;
    });
  };

  it('are left out with the reason when they do not compile or load', async () => {
    const refused = await attempt('console.error("a.cc:1: error: no such header");process.exit(1)');
    expect(refused).toMatchObject({ reason: 'the compiler said "a.cc:1: error: no such header"', left: [] });
    const broken = await attempt(write);
    expect(broken.reason).toMatch(/^loading them gave ".*Error/);
    expect(broken.left).toEqual([]);
  });

  it('are kept when they compute, under a name of their sources, and then not compiled again', async () => {
    const scripts = temporaryDirectory();
    writeFiles(scripts, { 'register.cjs': REGISTER });
    await withScripts(scripts, async () => {
      const wrong = await attempt(write.replace('TYPE', '2'), '7,10,15,23');
      expect(wrong).toMatchObject({ reason: expect.stringMatching(/got 7,10,15,23$/), left: [] });
      const right = await attempt(write.replace('TYPE', '2'), '7,10,15,22');
      expect(right.reason).toBeUndefined();
      expect(right.left.map((name) => join(right.directory, name))).toEqual([
        operationsFile(right.directory),
      ]);
      const again = ['no-such-compiler'] as const;
      expect(await buildOperations(again, right.directory, 'none')).toBeUndefined();
      // A processor that cannot run them has nothing to multiply.
      expect((await attempt(write.replace('TYPE', '0'))).reason).toBeUndefined();
    });
  });
});

describe.skipIf(process.platform !== 'linux')('setupNode', () => {
  it('refuses a wheel that is not there or not of TensorFlow, before any work', async () => {
    const cacheDirectory = temporaryDirectory();
    const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
    const missing = `nowhere/tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_${machine}.whl`;
    await expect(setupNode({ wheel: missing, cacheDirectory })).rejects.toThrow(
      /wheel must be a file, got nowhere/,
    );
    const other = `numpy-2.0.0-cp311-cp311-manylinux_2_27_${machine}.whl`;
    await expect(setupNode({ wheel: other, cacheDirectory })).rejects.toThrow(/must be of tensorflow or/);
  });
});
