import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { setupBackend } from '../src/index.ts';
import { cacheEntryName, writeSetupRecord } from '../src/setup-node/setup-record.ts';
import { temporaryDirectory, writeFiles } from './setup-node-helpers.ts';

/** Puts an adapter, or none, where the backend looks for one. */
function fakeAdapter(adapter: object | null): void {
  const gpu = { requestAdapter: async () => adapter };
  vi.stubGlobal('navigator', { gpu });
}

/** A project with a stand-in for tfjs-node, and a cache with a build for it. */
function fakeTfjsNode(gpu: boolean, source: string): void {
  const name = gpu ? 'tfjs-node-gpu' : 'tfjs-node';
  const project = temporaryDirectory();
  const folder = `node_modules/@tensorflow/${name}`;
  writeFiles(project, {
    [`${folder}/package.json`]: `{"name":"@tensorflow/${name}","version":"4.22.0"}`,
    [`${folder}/index.js`]: source,
    'node_modules/@mapbox/node-pre-gyp/index.js': 'exports.find = () => ""',
  });
  const entry = { tfjsVersion: '4.22.0', tensorflowVersion: '2.21.0', gpu };
  const build = join(process.env.XDG_CACHE_HOME!, 'voxface/tfjs-node', cacheEntryName(entry));
  writeFiles(build, { 'tfjs_binding.node': '' });
  writeSetupRecord(build, entry);
  vi.spyOn(process, 'cwd').mockReturnValue(project);
}

beforeEach(() => {
  vi.stubEnv('XDG_CACHE_HOME', temporaryDirectory());
  // So that a driver counts as installed.
  vi.stubEnv('VK_ICD_FILENAMES', 'a-manifest.json');
});

afterEach(() => {
  vi.doUnmock('@tensorflow/tfjs-backend-webgpu');
  vi.doUnmock('webgpu');
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.resetModules();
});

describe('setupBackend says what is missing', () => {
  it('when WebGPU has no adapter', async () => {
    fakeAdapter(null);
    await expect(setupBackend('webgpu')).rejects.toThrow(
      /^setupBackend: 'webgpu' must be usable here: WebGPU finds no adapter \(no GPU, .+ \(or take 'auto' or 'wasm'\)$/,
    );
  });

  it('when a package of WebGPU is missing', async () => {
    fakeAdapter({ info: { vendor: 'a', architecture: 'b', device: 'c', description: '' } });
    vi.doMock('@tensorflow/tfjs-backend-webgpu', () => {
      throw new Error('none');
    });
    await expect(setupBackend('webgpu')).rejects.toThrow(
      /the package '@tensorflow\/tfjs-backend-webgpu' must be installed, got .+ \(npm install @tensorflow\/tfjs-backend-webgpu\)/,
    );
    vi.stubGlobal('navigator', {});
    vi.doMock('webgpu', () => {
      throw new Error('none');
    });
    await expect(setupBackend('webgpu')).rejects.toThrow(
      /the package 'webgpu' must be installed, got .+ \(npm install webgpu\)/,
    );
  });

  it('when tfjs-node has not been set up', async () => {
    vi.spyOn(process, 'cwd').mockReturnValue(temporaryDirectory());
    await expect(setupBackend('node')).rejects.toThrow(
      /'node' must be usable here: loadTfjsNode: .+ no build in .+ \(run: npx voxface setup-node\)/,
    );
    await expect(setupBackend('node-gpu')).rejects.toThrow(/\(run: npx voxface setup-node --gpu\)/);
  });

  it('when a library of another CUDA is asked for', async () => {
    const message = 'libcudart.so.11.0: cannot open shared object file: No such file or directory';
    fakeTfjsNode(true, `throw new Error('${message}')`);
    await expect(setupBackend('node-gpu')).rejects.toThrow(
      /'node-gpu' must be usable here: loadTfjsNode: the addon must load, got "libcudart\.so\.11\.0: cannot open .+npx voxface setup-node/,
    );
  });

  it('when TensorFlow finds no GPU that fits its CUDA', async () => {
    fakeTfjsNode(true, 'exports.findBackend = () => ({ isUsingGpuDevice: false })');
    await expect(setupBackend('node-gpu')).rejects.toThrow(
      /TensorFlow finds no GPU that its CUDA can use; nvidia-smi must list one, with a driver for CUDA 12/,
    );
  });
});

describe("setupBackend('auto')", () => {
  it('takes wasm where nothing faster is there, and says why not', async () => {
    fakeAdapter(null);
    vi.spyOn(process, 'cwd').mockReturnValue(temporaryDirectory());
    const { name, reason, tried } = await setupBackend('auto');
    expect(name).toBe('wasm');
    expect(reason).toBe('the fastest that trains here: trains everywhere without installing anything more');
    expect(tried.map((entry) => entry.name)).toEqual(['node-gpu', 'webgpu', 'node']);
    expect(tried[0].problem).toMatch(/npx voxface setup-node --gpu/);
    expect(tried[1].problem).toMatch(/^WebGPU finds no adapter/);
    expect(tried[2].problem).toMatch(/npx voxface setup-node\)/);
  });

  it('passes over an adapter that is emulated on the CPU', async () => {
    const info = { vendor: 'google', architecture: 'swiftshader', device: '', description: 'SwiftShader' };
    fakeAdapter({ info });
    vi.spyOn(process, 'cwd').mockReturnValue(temporaryDirectory());
    const { name, tried } = await setupBackend();
    expect(name).toBe('wasm');
    expect(tried[1]).toEqual({
      name: 'webgpu',
      problem: 'WebGPU is emulated on the CPU (google swiftshader SwiftShader)',
    });
  });
});
