import { env, setBackend } from '@tensorflow/tfjs-core';
import { registerGpuKernels } from '../gpu/register-gpu-kernels.ts';
import { importHidden, isNode, missingPackage, type PreparedBackend } from './prepared-backend.ts';

/** The npm package `webgpu` (Dawn). */
interface DawnPackage {
  create(flags: string[]): object;
  globals: Record<string, unknown>;
}

interface Adapter {
  isFallbackAdapter?: boolean;
  info?: {
    vendor: string;
    architecture: string;
    device: string;
    description: string;
    isFallbackAdapter?: boolean;
  };
}

interface Gpu {
  requestAdapter(options?: object): Promise<Adapter | null>;
}

/** Puts `navigator.gpu` and the WebGPU classes where the backend looks for them; it asks once, when it is loaded. */
async function installDawn(): Promise<void> {
  if ((globalThis.navigator as { gpu?: object } | undefined)?.gpu !== undefined) return;
  const dawn = await importHidden<DawnPackage & { default?: DawnPackage }>('webgpu').catch((error) => {
    throw missingPackage('webgpu', error);
  });
  const { create, globals } = dawn.create === undefined ? dawn.default! : dawn;
  Object.assign(globalThis, globals);
  if (globalThis.navigator === undefined) {
    Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true, writable: true });
  }
  Object.defineProperty(globalThis.navigator, 'gpu', { value: create([]), configurable: true });
}

function describe({ info }: Adapter): string {
  return [info?.vendor, info?.architecture, info?.description || info?.device].filter(Boolean).join(' ');
}

/**
 * Makes WebGPU current, in the browser or in Node through the npm package `webgpu`.
 *
 * @param hardwareOnly refuse an adapter that runs on the CPU.
 * @throws when there is no WebGPU, no adapter, or a package is missing.
 */
export async function prepareWebgpu(hardwareOnly: boolean): Promise<PreparedBackend> {
  if (isNode() && hardwareOnly && !(await hasVulkanDriver()))
    throw new Error('no Vulkan driver is installed');
  if (isNode()) await installDawn();
  const gpu = (globalThis.navigator as { gpu?: Gpu } | undefined)?.gpu;
  if (!gpu) throw new Error('this browser has no WebGPU');
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter)
    throw new Error('WebGPU finds no adapter (no GPU, or its driver lacks Vulkan, Metal or Direct3D 12)');
  const device = describe(adapter);
  const isSoftware =
    adapter.isFallbackAdapter || adapter.info?.isFallbackAdapter || /swiftshader|llvmpipe/i.test(device);
  if (hardwareOnly && isSoftware) throw new Error(`WebGPU is emulated on the CPU (${device})`);
  // Inside a try, so that webpack takes it for optional.
  try {
    await import('@tensorflow/tfjs-backend-webgpu');
  } catch (error) {
    throw missingPackage('@tensorflow/tfjs-backend-webgpu', error);
  }
  registerGpuKernels('webgpu');
  if (!(await setBackend('webgpu'))) throw new Error('WebGPU could not be initialized');
  return { name: 'webgpu', detail: `the GPU through WebGPU${device && ` (${device})`}` };
}

const FOLDERS = ['/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/etc/vulkan/icd.d'];

/**
 * Whether a Vulkan driver is installed, told by its manifest; always true outside Linux. Dawn writes warnings to stderr
 * when it looks for a driver and there is none, so `auto` asks the disk first.
 */
export async function hasVulkanDriver(): Promise<boolean> {
  if (process.platform !== 'linux' || process.env.VK_ICD_FILENAMES || process.env.VK_DRIVER_FILES)
    return true;
  const { existsSync, readdirSync } = await importHidden<typeof import('node:fs')>('node:fs');
  const folders = [...FOLDERS, `${process.env.HOME ?? ''}/.local/share/vulkan/icd.d`];
  return folders.some((folder) => existsSync(folder) && readdirSync(folder).length > 0);
}

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
