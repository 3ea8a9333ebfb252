import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { cacheEntryName, writeSetupRecord } from '../src/setup-node/setup-record.ts';
import { loadTfjsNode } from '../src/setup-node.ts';
import { temporaryDirectory, writeFiles } from './setup-node-helpers.ts';

/** A stand-in for tfjs-node: it asks for its addon as the real one does and exports what it was told. */
const FAKE_TFJS_NODE = {
  'node_modules/@tensorflow/tfjs-node/package.json': '{"name":"@tensorflow/tfjs-node","version":"4.22.0"}',
  'node_modules/@tensorflow/tfjs-node/index.js': `
    const path = require('@mapbox/node-pre-gyp').find(__dirname + '/package.json');
    let core;
    try { core = require.resolve('@tensorflow/tfjs-core'); } catch (error) { core = error.code; }
    let data;
    try { data = require.resolve('@tensorflow/tfjs-data'); } catch (error) { data = error.code; }
    if (process.env.VOXFACE_TEST_BROKEN_ADDON) throw new Error('wrong ELF class\\nmore');
    exports.oneDnn = process.env.TF_ENABLE_ONEDNN_OPTS;
    exports.addon = path; exports.core = core; exports.data = data;
    exports.findBackend = () => ({ isUsingGpuDevice: true });
    exports.util = require('util').isNullOrUndefined(undefined);`,
  'node_modules/@mapbox/node-pre-gyp/index.js': 'exports.find = () => "its own answer"',
};

const entry = { tfjsVersion: '4.22.0', tensorflowVersion: '2.21.0', gpu: false };

function cacheWithBuild(ownPackage?: string): { cacheDirectory: string; build: string; addon: string } {
  const cacheDirectory = temporaryDirectory();
  const build = join(cacheDirectory, cacheEntryName(entry));
  writeFiles(build, { 'tfjs_binding.node': '' });
  writeSetupRecord(build, entry, ownPackage);
  return { cacheDirectory, build, addon: join(build, 'tfjs_binding.node') };
}

describe('loadTfjsNode', () => {
  it("gives the project's tfjs-node the addon that was built, and leaves the package as it was", () => {
    const { cacheDirectory, addon } = cacheWithBuild();
    const projectDirectory = temporaryDirectory();
    writeFiles(projectDirectory, FAKE_TFJS_NODE);
    const loaded = loadTfjsNode({ cacheDirectory, projectDirectory });
    expect(loaded).toMatchObject({
      addon,
      source: 'built',
      backendName: 'tensorflow',
      tensorflowVersion: '2.21.0',
      usesGpu: true,
    });
    const core = createRequire(import.meta.url).resolve('@tensorflow/tfjs-core');
    expect(loaded.tf).toMatchObject({ addon, util: true, core });
    const locator = createRequire(join(projectDirectory, 'x.js'))('@mapbox/node-pre-gyp') as {
      find(): string;
    };
    expect(locator.find()).toBe('its own answer');
  });

  it('makes tfjs-node use the tfjs-core of this package, whichever copies lie beside it', () => {
    const { cacheDirectory, build, addon } = cacheWithBuild('package/node_modules/@tensorflow/tfjs-node');
    writeFiles(join(build, 'package'), {
      ...FAKE_TFJS_NODE,
      'node_modules/@tensorflow/tfjs-core/package.json': '{"name":"@tensorflow/tfjs-core","main":"index.js"}',
      'node_modules/@tensorflow/tfjs-core/index.js': '',
      'node_modules/@tensorflow/tfjs-data/package.json': '{"name":"@tensorflow/tfjs-data","main":"index.js"}',
      'node_modules/@tensorflow/tfjs-data/index.js': '',
    });
    const loaded = loadTfjsNode({ cacheDirectory, projectDirectory: temporaryDirectory() });
    expect(loaded.tf.addon).toBe(addon);
    expect(loaded.tf.core).toBe(createRequire(import.meta.url).resolve('@tensorflow/tfjs-core'));
    expect(loaded.tf.data).toBe(join(build, 'package/node_modules/@tensorflow/tfjs-data/index.js'));
  });

  it.runIf(process.arch === 'x64')('switches oneDNN on, unless the environment says otherwise', () => {
    const load = () => {
      const { cacheDirectory } = cacheWithBuild();
      const projectDirectory = temporaryDirectory();
      writeFiles(projectDirectory, FAKE_TFJS_NODE);
      return loadTfjsNode({ cacheDirectory, projectDirectory }).tf.oneDnn;
    };
    try {
      vi.stubEnv('TF_ENABLE_ONEDNN_OPTS', undefined);
      expect(load()).toBe('1');
      vi.stubEnv('TF_ENABLE_ONEDNN_OPTS', '0');
      expect(load()).toBe('0');
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('takes the newest build, or the one of the TensorFlow that is named', () => {
    const { cacheDirectory, addon } = cacheWithBuild();
    const older = { ...entry, tensorflowVersion: '2.9.1' };
    const olderBuild = join(cacheDirectory, cacheEntryName(older));
    writeFiles(olderBuild, { 'tfjs_binding.node': '' });
    writeSetupRecord(olderBuild, older);
    const load = (tensorflow?: string) => {
      const projectDirectory = temporaryDirectory();
      writeFiles(projectDirectory, FAKE_TFJS_NODE);
      return loadTfjsNode({ cacheDirectory, projectDirectory, tensorflow });
    };
    expect(load()).toMatchObject({ addon, tensorflowVersion: '2.21.0' });
    expect(load('2.9.1')).toMatchObject({
      addon: join(olderBuild, 'tfjs_binding.node'),
      tensorflowVersion: '2.9.1',
    });
    expect(() => load('2.10.0')).toThrow(/no build of TensorFlow 2\.10\.0 in/);
  });

  it("falls back to the binary of the package's own install script", () => {
    const projectDirectory = temporaryDirectory();
    const own = 'node_modules/@tensorflow/tfjs-node/lib/napi-v8/tfjs_binding.node';
    writeFiles(projectDirectory, { ...FAKE_TFJS_NODE, [own]: '' });
    const loaded = loadTfjsNode({ cacheDirectory: temporaryDirectory(), projectDirectory });
    expect(loaded).toMatchObject({ source: 'package', addon: join(projectDirectory, own) });
    expect(loaded.tensorflowVersion).toBeUndefined();
  });

  it('names what is missing and the command that makes it', () => {
    const projectDirectory = temporaryDirectory();
    const cacheDirectory = temporaryDirectory();
    expect(() => loadTfjsNode({ cacheDirectory, projectDirectory })).toThrow(
      /got no @tensorflow\/tfjs-node 4\.22\.0 and no build in .*\(run: npx voxface setup-node\)$/,
    );
    expect(() => loadTfjsNode({ cacheDirectory, projectDirectory, gpu: true })).toThrow(
      /setup-node --gpu\)$/,
    );
    writeFiles(projectDirectory, FAKE_TFJS_NODE);
    expect(() => loadTfjsNode({ cacheDirectory, projectDirectory })).toThrow(
      /tfjs-node 4\.22\.0 without its addon/,
    );
    const build = cacheWithBuild();
    expect(() => loadTfjsNode({ ...build, projectDirectory: cacheDirectory })).toThrow(
      /got no @tensorflow\/tfjs-node 4\.22\.0 and a build in/,
    );
  });

  it('says in one line why an addon does not load', () => {
    const { cacheDirectory } = cacheWithBuild();
    const projectDirectory = temporaryDirectory();
    writeFiles(projectDirectory, FAKE_TFJS_NODE);
    process.env.VOXFACE_TEST_BROKEN_ADDON = '1';
    try {
      expect(() => loadTfjsNode({ cacheDirectory, projectDirectory })).toThrow(
        /^loadTfjsNode: the addon must load, got "wrong ELF class" \(build it again/,
      );
    } finally {
      delete process.env.VOXFACE_TEST_BROKEN_ADDON;
    }
  });
});
