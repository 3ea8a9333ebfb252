import { reshape, type Tensor, tidy, where } from '@tensorflow/tfjs-core';
import { type KernelReplacement, registerKernels } from '../register-kernels.ts';
import { GPU_CONVOLUTION_KERNELS } from './convolution-kernels.ts';
import { GPU_NORMALIZATION_KERNELS } from './sum-kernels.ts';
import { GPU_VOLUME_KERNELS } from './volume-kernels.ts';

/** Highest rank of the Select kernels of webgl and webgpu. */
const MOST_AXES = 4;

/** Select for any rank, through flat tensors; the gradient of leakyRelu on volumes needs it at rank 5. */
function select(backendName: 'webgl' | 'webgpu'): KernelReplacement {
  return {
    kernelName: 'Select',
    backendName,
    create: (original) => (params) => {
      const { condition, t, e } = params.inputs as unknown as Record<'condition' | 't' | 'e', Tensor>;
      if (t.shape.length <= MOST_AXES || condition.size !== t.size) return original(params);
      // The engine hands tensors to kernels, and takes tensors from them.
      return tidy(() => {
        const flat = where(reshape(condition, [-1]), reshape(t, [-1]), reshape(e, [-1]));
        return reshape(flat, t.shape);
      });
    },
  };
}

/** Registers what a GPU backend lacks for training, or is slow at. The backend's package has to be imported before. */
export function registerGpuKernels(backendName: 'webgl' | 'webgpu'): void {
  registerKernels([select(backendName)]);
  if (backendName === 'webgpu') {
    registerKernels([...GPU_CONVOLUTION_KERNELS, ...GPU_NORMALIZATION_KERNELS, ...GPU_VOLUME_KERNELS]);
  }
}
