import type { FaceShape } from '@voxface/predict';
import { drawOverlay } from './draw-overlay.ts';
import { drawShape, type View } from './draw-shape.ts';
import { drawVolume } from './draw-volume.ts';
import { createLocalizer, isPlausible, type Localizer, type PageBackend } from './localizer.ts';

const element = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const picture = element<HTMLCanvasElement>('picture');
const shape = element<HTMLCanvasElement>('shape');
const volume = element<HTMLCanvasElement>('volume');
const status = element('status');
const select = element<HTMLSelectElement>('backend');
const view: View = { yaw: 35, pitch: -10 };
/** What is less likely to be a face is not shown. */
const MIN_CONFIDENCE = 0.1;

let localizer: Promise<Localizer> | undefined;
let video: HTMLVideoElement | undefined;
let faces: FaceShape[] = [];
let still: ImageBitmap | undefined;
let queue: Promise<void> = Promise.resolve();

/** What the page knows, for tests and for the curious: `window.voxface.faces` in pixels of the picture. */
const state = {
  faces: [] as { landmarks: number[][]; confidence?: number }[],
  backend: '',
  frames: 0,
  milliseconds: 0,
};
(window as unknown as { voxface: typeof state }).voxface = state;

function ready(): Promise<Localizer> {
  localizer ??= createLocalizer(select.value as PageBackend);
  return localizer;
}

/** Frames and switches of the backend, one after the other: no network is disposed of in the middle of a frame. */
function enqueue(work: () => Promise<void>): Promise<void> {
  const done = queue.then(work);
  queue = done.catch(() => {});
  return done;
}

async function show(
  source: CanvasImageSource,
  width: number,
  height: number,
  tracking: boolean,
): Promise<void> {
  const current = await ready();
  picture.width = width;
  picture.height = height;
  const context = picture.getContext('2d', { willReadFrequently: true }) as CanvasRenderingContext2D;
  context.drawImage(source, 0, 0, width, height);
  const image = context.getImageData(0, 0, width, height);
  const start = performance.now();
  const found =
    tracking && faces.length > 0 ? await current.track(image, faces) : await current.detect(image);
  faces = found.filter(
    ({ landmarks, confidence = 1 }) => confidence >= MIN_CONFIDENCE && isPlausible(landmarks, width, height),
  );
  const milliseconds = performance.now() - start;
  for (const { landmarks, landmarkConfidence } of faces) {
    drawOverlay(context, landmarks, Math.max(1, width / 640), landmarkConfidence);
  }
  if (faces.length > 0) {
    drawShape(shape, faces[0].landmarks, view);
    if (!tracking || state.frames % 4 === 0) {
      await drawVolume(volume, current, image, faces[0].landmarks, view);
    }
  }
  report(current, milliseconds);
}

function report(current: Localizer, milliseconds: number): void {
  state.faces = faces.map(({ landmarks, confidence }) => ({
    confidence,
    landmarks: Array.from({ length: landmarks.points.length / 3 }, (_, i) => [
      ...landmarks.points.subarray(3 * i, 3 * i + 3),
    ]),
  }));
  state.backend = current.backend;
  state.frames++;
  state.milliseconds = milliseconds;
  const pose = faces[0]?.pose;
  const angles = pose ? `, yaw ${pose.yaw.toFixed(0)}°, pitch ${pose.pitch.toFixed(0)}°` : '';
  const confidence = faces[0]?.confidence;
  const sure = confidence === undefined ? '' : `, confidence ${(100 * confidence).toFixed(0)} %`;
  const label = `${faces.length} face${faces.length === 1 ? '' : 's'}`;
  status.textContent = `${label}, ${milliseconds.toFixed(0)} ms on ${current.backend}${angles}${sure}`;
}

async function showStill(): Promise<void> {
  if (!still) return;
  faces = [];
  status.textContent = 'Working ...';
  const scale = Math.min(1, 1280 / Math.max(still.width, still.height));
  const [width, height] = [Math.round(still.width * scale), Math.round(still.height * scale)];
  const shown = still;
  await guard(enqueue(() => show(shown, width, height, false)));
}

async function openPhoto(file: Blob): Promise<void> {
  stopCamera();
  still?.close();
  still = await createImageBitmap(file);
  await showStill();
}

async function startCamera(): Promise<void> {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'user' }, audio: false });
  still = undefined;
  faces = [];
  const started = document.createElement('video');
  started.playsInline = true;
  started.muted = true;
  started.srcObject = stream;
  await started.play();
  video = started;
  while (video === started) {
    await enqueue(() => show(started, started.videoWidth, started.videoHeight, true));
    await new Promise(requestAnimationFrame);
  }
  for (const track of stream.getTracks()) track.stop();
}

function stopCamera(): void {
  video = undefined;
}

async function guard(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    status.textContent = error instanceof Error ? error.message : String(error);
  }
}

element('camera').addEventListener('click', () => {
  if (video) stopCamera();
  else guard(startCamera());
});
element<HTMLInputElement>('photo').addEventListener('change', (event) => {
  const [file] = (event.target as HTMLInputElement).files ?? [];
  if (file) guard(openPhoto(file));
});
select.addEventListener('change', async () => {
  await enqueue(async () => {
    const old = await localizer?.catch(() => undefined);
    old?.dispose();
    localizer = undefined;
  });
  if (!video) await showStill();
});
document.addEventListener('dragover', (event) => {
  event.preventDefault();
  picture.parentElement?.classList.add('over');
});
document.addEventListener('drop', (event) => {
  event.preventDefault();
  picture.parentElement?.classList.remove('over');
  const [file] = event.dataTransfer?.files ?? [];
  if (file) guard(openPhoto(file));
});
shape.addEventListener('pointermove', (event) => {
  if (event.buttons === 0 || faces.length === 0) return;
  view.yaw += event.movementX * 0.6;
  view.pitch += event.movementY * 0.4;
  drawShape(shape, faces[0].landmarks, view);
});
