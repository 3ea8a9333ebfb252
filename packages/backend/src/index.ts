export { assertTrainable } from './assert-trainable.ts';
export { type BackendInfo, type BackendName, setupBackend } from './setup-backend.ts';
export { registerWasmKernels } from './wasm/register-wasm-kernels.ts';
