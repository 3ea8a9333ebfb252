export { registerCpuKernels } from './cpu/cpu-kernels.ts';
export { recordCommands } from './gpu/record-commands.ts';
export { registerGpuKernels } from './gpu/register-gpu-kernels.ts';
export { registerNativeKernels } from './native/native-kernels.ts';
export { bytesField, doubleField, floatField, joinBytes, textField, varintField } from './native/protobuf.ts';
export { recordGraph } from './native/record-graph.ts';
export { isNative } from './native/run-native.ts';
export { type NormalizedBatch, normalizeBatch, normalizeWith } from './operations/batch-normalize.ts';
export { upsample3d } from './operations/upsample-3d.ts';
export {
  isRecordingFaster,
  PROGRAM_DEFAULTS,
  type Program,
  type ProgramOptions,
  type Recording,
  recordProgram,
} from './program/record-program.ts';
export type { SetupOptions } from './setup/prepared-backend.ts';
export { BACKEND_NAMES, type BackendName } from './setup/prepared-backend.ts';
export { assertTrainable, type BackendInfo, setupBackend } from './setup-backend.ts';
export { accelerateTraining } from './training/accelerate-training.ts';
export { registerWasmKernels } from './wasm/register-wasm-kernels.ts';
