/** Chromium to drive: VOXFACE_CHROMIUM, or Debian's. */
export const CHROMIUM: string = process.env.VOXFACE_CHROMIUM ?? '/usr/bin/chromium';

/** Asks nothing of the network by itself; WebGL emulated on the CPU. */
export const CHROMIUM_FLAGS: readonly string[] = [
  '--no-sandbox',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-quic',
  '--disable-sync',
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
];

/** WebGPU emulated on the CPU, beside the flags above. */
export const WEBGPU_FLAGS: readonly string[] = [
  '--enable-unsafe-webgpu',
  '--enable-features=Vulkan',
  '--use-webgpu-adapter=swiftshader',
];
