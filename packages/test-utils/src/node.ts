export { CHROMIUM, CHROMIUM_FLAGS, WEBGPU_FLAGS } from './chromium.ts';
export { findData } from './find-data.ts';
export { type Golden, readGolden } from './read-golden.ts';
export { type NpyArray, readNpy } from './read-npy.ts';
