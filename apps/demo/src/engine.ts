import { createFaceLandmarker, type Face, type FaceLandmarker, type PhotoSource } from 'voxface/web';

export type RuntimeChoice = 'auto' | 'wasm' | 'webgpu';

/** A landmarker, what runs it, and what a picture took. */
export interface Engine {
  readonly name: string;
  readonly landmarker: FaceLandmarker<PhotoSource>;
}

/** A frame that takes no longer than this needs no other runtime. */
const FAST_ENOUGH = 33;

const VIDEO = { maxFaces: 4 };

export async function openEngine(choice: RuntimeChoice): Promise<Engine> {
  return choice === 'webgpu' ? openWebgpu() : openWasm();
}

async function openWasm(): Promise<Engine> {
  return { name: 'WebAssembly', landmarker: await createFaceLandmarker({ video: VIDEO }) };
}

async function openWebgpu(): Promise<Engine> {
  if (!(await hasGraphics()))
    throw new Error('This browser offers no WebGPU adapter here. WebAssembly works.');
  // 26 MB of WebAssembly, loaded only where it is wanted.
  const runtime = await import('onnxruntime-web/webgpu');
  const landmarker = await createFaceLandmarker({ runtime, providers: ['webgpu', 'wasm'], video: VIDEO });
  return { name: 'WebGPU', landmarker };
}

/** Whether there is a graphics adapter that is not emulated on the CPU. */
async function hasGraphics(): Promise<boolean> {
  const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<{ info?: Info } | null> } };
  const adapter = await gpu?.requestAdapter().catch(() => null);
  return adapter != null && !adapter.info?.isFallbackAdapter && adapter.info?.architecture !== 'swiftshader';
}

interface Info {
  readonly isFallbackAdapter?: boolean;
  readonly architecture?: string;
}

/**
 * Measures landmarks of one face on the engine at hand and, if that is slow, on WebGPU; keeps the faster that finds the same.
 * The engine that loses is disposed of.
 */
export async function chooseEngine(engine: Engine, image: PhotoSource, face: Face): Promise<Engine> {
  const here = await measure(engine, image, face);
  if (here.milliseconds <= FAST_ENOUGH || !(await hasGraphics())) return engine;
  const other = await openWebgpu().catch(() => undefined);
  if (other === undefined) return engine;
  const there = await measure(other, image, face).catch(() => undefined);
  const same = there && largestDifference(here.face, there.face) < 0.02 * face.box.width;
  const [kept, lost] = same && there.milliseconds < here.milliseconds ? [other, engine] : [engine, other];
  lost.landmarker.dispose();
  return kept;
}

async function measure(
  { landmarker }: Engine,
  image: PhotoSource,
  { box }: Face,
): Promise<{ milliseconds: number; face: Face }> {
  const times: number[] = [];
  let faces = await landmarker.detect(image, { boxes: [box] });
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    faces = await landmarker.detect(image, { boxes: [box] });
    times.push(performance.now() - start);
  }
  return { milliseconds: Math.min(...times), face: faces[0] };
}

function largestDifference(a: Face, b: Face): number {
  return a.landmarks.points.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - b.landmarks.points[i])),
    0,
  );
}
