import { env, setBackend } from '@tensorflow/tfjs-core';
import { registerGpuKernels } from '../gpu/register-gpu-kernels.ts';
import { missingPackage, type PreparedBackend } from './prepared-backend.ts';

const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

/** Name of the device behind WebGL, empty where the browser hides it. */
function rendererOf(gl: WebGL2RenderingContext): string {
  const extension = gl.getExtension('WEBGL_debug_renderer_info');
  return String(gl.getParameter(extension?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER) ?? '');
}

/**
 * Makes WebGL current.
 *
 * @param hardwareOnly refuse a renderer that runs on the CPU.
 * @throws when there is no WebGL 2, its package is missing, or its textures do not hold 32-bit floats, which training needs.
 */
export async function prepareWebgl(hardwareOnly: boolean): Promise<PreparedBackend> {
  const canvas = typeof OffscreenCanvas === 'undefined' ? undefined : new OffscreenCanvas(1, 1);
  const gl = (canvas ?? globalThis.document?.createElement('canvas'))?.getContext('webgl2') as
    | WebGL2RenderingContext
    | null
    | undefined;
  if (!gl) throw new Error('there is no WebGL 2 here');
  const renderer = rendererOf(gl);
  if (hardwareOnly && SOFTWARE.test(renderer)) throw new Error(`WebGL is emulated on the CPU (${renderer})`);
  // Inside a try, so that webpack takes it for optional.
  try {
    await import('@tensorflow/tfjs-backend-webgl');
  } catch (error) {
    throw missingPackage('@tensorflow/tfjs-backend-webgl', error);
  }
  registerGpuKernels('webgl');
  if (!(await setBackend('webgl'))) throw new Error('WebGL could not be initialized');
  if (!env().getBool('WEBGL_RENDER_FLOAT32_ENABLED')) {
    throw new Error('this device has 16-bit float textures only, too coarse to train');
  }
  return { name: 'webgl', detail: `the GPU through WebGL${renderer && ` (${renderer})`}` };
}
