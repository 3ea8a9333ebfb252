export { CHROMIUM, CHROMIUM_FLAGS, WEBGPU_FLAGS } from './chromium.ts';
export { findData, type Golden, type NpyArray, readGolden, readNpy } from './files.ts';
