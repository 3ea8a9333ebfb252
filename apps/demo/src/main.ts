import firstLook from 'virtual:first-look';
import type { Face } from 'voxface/web';
import { type Cloud, cloudOf, drawCloud, drawOverlay, drawShape, type View } from './draw.ts';
import { chooseEngine, type Engine, openEngine, type RuntimeChoice } from './engine.ts';

const element = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const [picture, shape, volume] = ['picture', 'shape', 'volume'].map((id) => element<HTMLCanvasElement>(id));
const [stage, status] = [element('stage'), element('status')];
const [camera, spin] = [element<HTMLButtonElement>('camera'), element<HTMLButtonElement>('spin')];
const yaw = element<HTMLInputElement>('yaw');
const runtime = element<HTMLSelectElement>('runtime');
const context = picture.getContext('2d', { willReadFrequently: true }) as CanvasRenderingContext2D;

/** Photos are not shown larger than this. */
const LARGEST = 1280;

const view: View = { yaw: -32, pitch: -12 };
/** Starting the networks keeps a slow machine from painting anything: they wait until the first look is on the screen. */
let firstLookShown = (): void => {};
const painted = new Promise<void>((resolve) => {
  firstLookShown = () => requestAnimationFrame(() => setTimeout(resolve));
  setTimeout(resolve, 1500);
});
let engine: Promise<Engine> = painted.then(() => openEngine('auto'));
let measured = false;
let faces: Face[] = [];
let cloud: Cloud | undefined;
let still: ImageData | undefined;
let video: HTMLVideoElement | undefined;
let queue: Promise<void> = Promise.resolve();

/** For tests and the curious. */
const state = {
  busy: 0,
  faces: 0,
  frames: 0,
  runtime: '',
  yaw: view.yaw,
  /** When the first look of the build, the first of its own and the first with the detector were drawn, milliseconds. */
  firstPaint: 0,
  firstOwn: 0,
  firstDetected: 0,
};
(globalThis as unknown as { voxface: typeof state }).voxface = state;

/** Pictures and switches one after the other; what goes wrong is said in words. */
function inTurn(work: () => Promise<void>): Promise<void> {
  state.busy++;
  queue = queue
    .then(work)
    .catch(fail)
    .finally(() => {
      state.busy--;
    });
  return queue;
}

function fail(error: unknown): void {
  say(error instanceof Error ? error.message : String(error), true);
}

function say(text: string, isError = false): void {
  status.classList.toggle('error', isError);
  if (status.textContent !== text) status.textContent = text;
}

async function showStill(
  image: CanvasImageSource,
  width: number,
  height: number,
  first = false,
): Promise<void> {
  const scale = Math.min(1, LARGEST / Math.max(width, height));
  picture.width = Math.round(width * scale);
  picture.height = Math.round(height * scale);
  context.drawImage(image, 0, 0, picture.width, picture.height);
  still = context.getImageData(0, 0, picture.width, picture.height);
  if (first) showFirstLook();
  await analyseStill(first);
}

async function analyseStill(quiet = false): Promise<void> {
  if (still === undefined) return;
  const image = still;
  if (!quiet) say('Looking for faces…');
  let current = await engine;
  if (quiet) await lookAgain(current, image);
  const start = performance.now();
  const found = await current.landmarker.detect(image);
  const milliseconds = performance.now() - start;
  context.putImageData(image, 0, 0);
  show(found, milliseconds, current);
  await lookInside(current, image);
  if (!measured && runtime.value === 'auto' && found.length > 0) {
    measured = true;
    current = await chooseEngine(current, image, found[0]);
    engine = Promise.resolve(current);
    tellRuntime(current);
  }
}

function show(found: Face[], milliseconds: number, current: Engine): void {
  const label = showFaces(found);
  state.frames++;
  state.firstOwn ||= performance.now();
  state.firstDetected ||= performance.now();
  tellRuntime(current);
  const hint = faces.length === 0 ? '. Try a larger or brighter one.' : '';
  say(video ? `${label}${hint}` : `${label} in ${milliseconds.toFixed(0)} ms${hint}`);
  element('time').textContent = `${milliseconds.toFixed(0)} ms`;
}

/** What the page's build found in the sample that it opens on, while the networks are still loading. */
function showFirstLook(): void {
  const found = firstLook.map(({ points, ...face }) => ({
    ...face,
    landmarks: { points: Float32Array.from(points), dims: 3 as const },
  }));
  const label = showFaces(found as unknown as Face[]);
  say(`${label}, found when this page was built. Loading the networks to look again here…`);
  firstLookShown();
  painted.then(() => {
    state.firstPaint = performance.now();
  });
}

/**
 * The networks' own first look: where the build found the faces, so that nothing waits for the detector, which is opened
 * after that and then looks for itself.
 */
async function lookAgain(current: Engine, image: ImageData): Promise<void> {
  const start = performance.now();
  const found = await current.landmarker.detect(image, { boxes: firstLook.map(({ box }) => box) });
  const milliseconds = performance.now() - start;
  context.putImageData(image, 0, 0);
  const label = showFaces(found);
  state.firstOwn = performance.now();
  say(`${label} in ${milliseconds.toFixed(0)} ms. Opening the detector…`);
  element('time').textContent = `${milliseconds.toFixed(0)} ms`;
  await shown();
}

/** What was drawn is on the screen. */
function shown(): Promise<void> {
  return new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve));
    setTimeout(resolve, 300);
  });
}

/** Draws faces over the picture, and the first in the views. */
function showFaces(found: Face[]): string {
  faces = found;
  for (const face of faces) drawOverlay(context, face, Math.max(1.2, face.box.width / 85));
  const [face] = faces;
  if (face === undefined || !video) cloud = undefined;
  state.faces = faces.length;
  const label =
    faces.length === 0 ? 'No face found' : faces.length === 1 ? '1 face' : `${faces.length} faces`;
  picture.setAttribute('aria-label', label);
  const { yaw: y, pitch, roll } = face?.pose ?? {};
  const degrees = (value = 0): string => `${Math.round(value) || 0}°`;
  element('which').textContent = faces.length === 0 ? '–' : `1 of ${faces.length}`;
  const sure = confidenceOf(face);
  element('confidence').textContent = sure === undefined ? '–' : `${(100 * sure).toFixed(0)} %`;
  element('pose').textContent = face ? `${degrees(y)} ${degrees(pitch)} ${degrees(roll)}` : '–';
  drawViews();
  return label;
}

/** That the landmarks fit; where the model does not tell, the detector's. */
function confidenceOf(face: Face | undefined): number | undefined {
  return face?.confidence ?? face?.score;
}

function tellRuntime({ name }: Engine): void {
  state.runtime = name;
  element('chosen').textContent = runtime.value === 'auto' ? name : '';
}

function drawViews(): void {
  state.yaw = view.yaw;
  const [face] = faces;
  for (const canvas of [shape, volume]) canvas.getContext('2d')?.clearRect(0, 0, canvas.width, canvas.height);
  if (face) drawShape(shape, face.landmarks, view);
  if (cloud) drawCloud(volume, cloud, view);
}

async function openFile(file: Blob | undefined): Promise<void> {
  if (file === undefined) return;
  stopCamera();
  await inTurn(async () => {
    const image = await createImageBitmap(file).catch(() => {
      throw new Error('This file is not a picture that the browser can read. Try a JPEG or PNG.');
    });
    await showStill(image, image.width, image.height);
    image.close();
  });
}

async function openSample(name: string, first = false): Promise<void> {
  stopCamera();
  await inTurn(async () => {
    const image = new Image();
    image.src = name;
    await image.decode();
    await showStill(image, image.naturalWidth, image.naturalHeight, first);
  });
}

async function startCamera(): Promise<void> {
  say('Waiting for the camera…');
  const stream = await openStream();
  const started = document.createElement('video');
  started.playsInline = true;
  started.muted = true;
  started.srcObject = stream;
  await started.play();
  video = started;
  camera.setAttribute('aria-pressed', 'true');
  camera.textContent = 'Stop';
  while (video === started) {
    await inTurn(() => showFrame(started));
    await new Promise(requestAnimationFrame);
  }
  for (const track of stream.getTracks()) track.stop();
}

async function openStream(): Promise<MediaStream> {
  if (navigator.mediaDevices === undefined) {
    throw new Error('Cameras need a secure address (https or localhost). Open a photo instead.');
  }
  try {
    return await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'user' }, audio: false });
  } catch (error) {
    const denied = error instanceof DOMException && error.name === 'NotAllowedError';
    throw new Error(
      denied
        ? 'The camera was not allowed. Allow it in the browser’s address bar, or open a photo.'
        : 'No camera was found. Open a photo, or take a sample.',
    );
  }
}

async function showFrame(frame: HTMLVideoElement): Promise<void> {
  const current = await engine;
  picture.width = frame.videoWidth;
  picture.height = frame.videoHeight;
  context.drawImage(frame, 0, 0);
  const image = context.getImageData(0, 0, picture.width, picture.height);
  const start = performance.now();
  const found = await current.landmarker.detectForVideo(image, start);
  const milliseconds = performance.now() - start;
  still = image;
  show(found, milliseconds, current);
  if (state.frames % 5 === 0) await lookInside(current, image);
}

/** The semantic volume of the first face; it costs as much as the landmarks, so these are shown first. */
async function lookInside({ landmarker }: Engine, image: ImageData): Promise<void> {
  if (faces.length === 0) return;
  const [seen] = await landmarker.detect(image, { boxes: [faces[0].box], volume: true });
  if (seen?.volume) cloud = cloudOf(seen.volume);
  drawViews();
}

function stopCamera(): void {
  video = undefined;
  camera.setAttribute('aria-pressed', 'false');
  camera.textContent = 'Camera';
}

camera.addEventListener('click', () => {
  if (video) stopCamera();
  else startCamera().catch(fail);
});
const file = element<HTMLInputElement>('file');
element('open').addEventListener('click', () => file.click());
file.addEventListener('change', () => {
  openFile(file.files?.[0]);
  file.value = '';
});
for (const button of document.querySelectorAll<HTMLButtonElement>('[data-sample]')) {
  button.addEventListener('click', () => openSample(button.dataset.sample as string));
}
runtime.addEventListener('change', () => {
  inTurn(async () => {
    const old = await engine.catch(() => undefined);
    measured = false;
    say('Loading the networks…');
    const opened = openEngine(runtime.value as RuntimeChoice);
    await opened;
    engine = opened;
    old?.landmarker.dispose();
    if (!video) await analyseStill();
  });
});

document.addEventListener('dragover', (event) => {
  event.preventDefault();
  stage.classList.add('over');
});
document.addEventListener('dragleave', () => stage.classList.remove('over'));
document.addEventListener('drop', (event) => {
  event.preventDefault();
  stage.classList.remove('over');
  openFile(event.dataTransfer?.files[0]);
});
document.addEventListener('paste', (event) => {
  openFile(event.clipboardData?.files[0]);
});

let spinning = !matchMedia('(prefers-reduced-motion: reduce)').matches;
function setSpinning(wanted: boolean): void {
  spinning = wanted;
  spin.setAttribute('aria-pressed', String(wanted));
}
setSpinning(spinning);
spin.addEventListener('click', () => setSpinning(!spinning));
yaw.addEventListener('input', () => {
  setSpinning(false);
  view.yaw = Number(yaw.value);
  drawViews();
});
for (const canvas of [shape, volume]) {
  canvas.addEventListener('pointerdown', (event) => canvas.setPointerCapture(event.pointerId));
  canvas.addEventListener('pointermove', (event) => {
    if (event.buttons === 0) return;
    setSpinning(false);
    view.yaw = Math.max(-90, Math.min(90, view.yaw + event.movementX * 0.6));
    view.pitch = Math.max(-60, Math.min(60, view.pitch + event.movementY * 0.4));
    yaw.value = String(Math.round(view.yaw));
    drawViews();
  });
}
/** There and back, slowly; twenty times a second are enough. While the networks start, the processor is theirs alone. */
let phase = Math.asin(view.yaw / 55);
setInterval(() => {
  if (!spinning || state.firstDetected === 0 || faces.length === 0 || document.hidden) return;
  phase += 0.03;
  view.yaw = 55 * Math.sin(phase);
  yaw.value = String(Math.round(view.yaw));
  drawViews();
}, 50);

openSample('./drawn-three.svg', true);
