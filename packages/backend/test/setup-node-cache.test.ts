import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  cacheEntryName,
  defaultCacheDirectory,
  findSetupRecord,
  parseCacheEntryName,
  readSetupRecord,
  writeSetupRecord,
} from '../src/setup-node/setup-record.ts';
import { compareVersions } from '../src/setup-node/wheel.ts';
import { temporaryDirectory, writeFiles } from './setup-node-helpers.ts';

describe('cache directory', () => {
  it('follows XDG_CACHE_HOME when it is absolute, else the home folder', () => {
    expect(defaultCacheDirectory({ XDG_CACHE_HOME: '/cache', HOME: '/home/a' })).toBe(
      '/cache/voxface/tfjs-node',
    );
    expect(defaultCacheDirectory({ HOME: '/home/a' })).toBe('/home/a/.cache/voxface/tfjs-node');
    expect(defaultCacheDirectory({ XDG_CACHE_HOME: 'cache', HOME: '/home/a' })).toBe(
      '/home/a/.cache/voxface/tfjs-node',
    );
  });

  it('names a build after all that it depends on, and reads the name back', () => {
    const entry = { tfjsVersion: '4.22.0', tensorflowVersion: '2.21.0', gpu: false };
    expect(cacheEntryName(entry)).toBe('4.22.0-tf2.21.0-napi8');
    expect(cacheEntryName({ ...entry, gpu: true })).toBe('4.22.0-tf2.21.0-napi8-gpu');
    expect(parseCacheEntryName('4.22.0-tf2.21.0-napi8')).toEqual(entry);
    expect(parseCacheEntryName('4.22.0-tf2.21.0-napi8-gpu')).toEqual({ ...entry, gpu: true });
    expect(parseCacheEntryName('4.22.0-tf2.21.0-napi3')).toBeUndefined();
    expect(parseCacheEntryName('.building-x')).toBeUndefined();
  });

  it('orders versions by number', () => {
    expect(compareVersions('2.9.0', '2.21.0')).toBeLessThan(0);
    expect(compareVersions('2.21.1', '2.21')).toBeGreaterThan(0);
    expect(compareVersions('2.15.0.post1', '2.15.0')).toBe(0);
  });
});

describe('setup record', () => {
  const entry = (tensorflowVersion: string, gpu = false) => ({
    tfjsVersion: '4.22.0',
    tensorflowVersion,
    gpu,
  });
  const build = (cache: string, tensorflowVersion: string, gpu = false): string => {
    const directory = join(cache, cacheEntryName(entry(tensorflowVersion, gpu)));
    writeFiles(directory, { 'tfjs_binding.node': '' });
    writeSetupRecord(directory, entry(tensorflowVersion, gpu), 'package/x');
    return directory;
  };

  it('is read back with absolute paths', () => {
    const directory = build(temporaryDirectory(), '2.21.0');
    expect(readSetupRecord(directory)).toEqual({
      ...entry('2.21.0'),
      directory,
      addon: join(directory, 'tfjs_binding.node'),
      packageDirectory: join(directory, 'package/x'),
    });
  });

  it('is absent for an unfinished build', () => {
    const cache = temporaryDirectory();
    writeFiles(cache, { 'a/tfjs_binding.node': '', 'b/setup.json': JSON.stringify({ addon: 'gone' }) });
    expect(readSetupRecord(join(cache, 'a'))).toBeUndefined();
    expect(readSetupRecord(join(cache, 'b'))).toBeUndefined();
  });

  it('is chosen by tfjs version and variant, newest TensorFlow first', () => {
    const cache = temporaryDirectory();
    build(cache, '2.9.0');
    const newest = build(cache, '2.21.0');
    const gpu = build(cache, '2.20.0', true);
    expect(findSetupRecord(cache, { tfjsVersion: '4.22.0', gpu: false })?.directory).toBe(newest);
    expect(findSetupRecord(cache, { tfjsVersion: '4.22.0', gpu: true })?.directory).toBe(gpu);
    expect(findSetupRecord(cache, { tfjsVersion: '4.21.0', gpu: false })).toBeUndefined();
    expect(findSetupRecord(join(cache, 'none'), { tfjsVersion: '4.22.0', gpu: false })).toBeUndefined();
  });
});
