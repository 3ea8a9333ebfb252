import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
import type { Pixels } from '@voxface/landmarks';
import sharp from 'sharp';
import type { Candidate } from 'voxface/bench';
import { REPOSITORY } from './repository.ts';

/** What is used of playwright-core. */
interface Playwright {
  chromium: {
    launch(options: object): Promise<{
      newPage(): Promise<{
        goto(address: string): Promise<unknown>;
        evaluate<R>(work: string): Promise<R>;
      }>;
      close(): Promise<void>;
    }>;
  };
}

/** Side of the pictures that it gets; its network sees 192 pixels of the face that it finds in them. */
const PICTURE_SIZE = 256;

const INSTALL =
  'npm install @mediapipe/face_mesh playwright-core in a folder, then --peers FOLDER; Chromium at VOXFACE_CHROMIUM';

/**
 * Loads the solution; `timeFaces()`: milliseconds for all pictures; `follow(from, to, rate, points)`: pictures as frames of a video;
 * `find(index, most)`: the meshes in a picture.
 */
const PAGE = `<!doctype html><script src="/face_mesh.js"></script><script>
const mesh = new FaceMesh({ locateFile: (file) => '/' + file });
mesh.setOptions({ staticImageMode: true, maxNumFaces: 1, refineLandmarks: false });
let faces = 0;
let found = [];
mesh.onResults((results) => { found = results.multiFaceLandmarks; faces += found.length; });
const load = (from, to) => Promise.all(Array.from({ length: to - from }, async (_, i) => {
  const image = new Image(); image.src = '/face-' + (from + i) + '.png'; await image.decode(); return image;
}));
async function prepare(count) {
  window.pictures = await load(0, count);
  await mesh.initialize();
}
let clock = 1000;
async function follow(from, to, rate, points) {
  mesh.setOptions({ staticImageMode: false });
  mesh.reset();
  const frames = [];
  for (const image of await load(from, to)) {
    await mesh.send({ image }, (clock += 1000 / rate));
    frames.push(found.length === 0 ? null : points.map((i) => [
      found[0][i].x * image.width - 0.5, found[0][i].y * image.height - 0.5,
    ]));
  }
  return frames;
}
async function find(index, most) {
  mesh.setOptions({ staticImageMode: true, maxNumFaces: most });
  await mesh.initialize();
  const [image] = await load(index, index + 1);
  await mesh.send({ image });
  return found.map((points) => points.map(({ x, y }) => [x * image.width - 0.5, y * image.height - 0.5]));
}
async function timeFaces() {
  faces = 0;
  const start = performance.now();
  for (const image of window.pictures) await mesh.send({ image });
  return [performance.now() - start, faces];
}
</script>`;

/**
 * MediaPipe face mesh (468 points) in headless Chromium, every picture looked at anew: its own short detector, then
 * the mesh. The npm package ships the model.
 * @throws Error saying how to install it.
 */
export async function openMediaPipe(
  folder: string | undefined,
  cropsOf: (size: number) => readonly Uint8Array[],
): Promise<Candidate> {
  const page = await openPage(
    folder,
    cropsOf(PICTURE_SIZE).map((crop) => () => encodePng(crop, PICTURE_SIZE, PICTURE_SIZE)),
  );
  try {
    await page.evaluate(`prepare(${cropsOf(PICTURE_SIZE).length})`);
  } catch (error) {
    await page.close();
    throw new Error(`MediaPipe face mesh: skipped, ${(error as Error).message.split('\n')[0]}`);
  }
  return {
    name: 'MediaPipe face mesh, Chromium, with its own detector',
    async run() {
      const [wall, faces] = await page.evaluate<[number, number]>('timeFaces()');
      if (faces === 0) throw new Error('MediaPipe face mesh: found no face');
      return { wall, cpu: Number.NaN };
    },
    close: page.close,
  };
}

/**
 * Follows the face of each clip with MediaPipe face mesh.
 * @param clips frames of RGB bytes [side, side, 3]. @param points of the mesh, by index.
 * @returns per clip and frame the points in pixels, or null where no face was found.
 * @throws Error saying how to install it.
 */
export async function followWithMediaPipe(
  folder: string | undefined,
  clips: readonly (readonly Uint8Array[])[],
  side: number,
  rate: number,
  points: readonly number[],
): Promise<([number, number][] | null)[][]> {
  const page = await openPage(
    folder,
    clips.flat().map((frame) => () => encodePng(frame, side, side)),
  );
  try {
    await page.evaluate('prepare(0)');
    const followed: ([number, number][] | null)[][] = [];
    let from = 0;
    for (const clip of clips) {
      const order = `follow(${from}, ${from + clip.length}, ${rate}, ${JSON.stringify(points)})`;
      followed.push(await page.evaluate(order));
      from += clip.length;
    }
    return followed;
  } finally {
    await page.close();
  }
}

/**
 * The meshes that MediaPipe face mesh finds in photos, at most `most` in each.
 * @param load photo `index` as RGB.
 * @returns per photo and face [468] points in pixels.
 * @throws Error saying how to install it.
 */
export async function findWithMediaPipe(
  folder: string | undefined,
  count: number,
  load: (index: number) => Promise<Pixels>,
  most: number,
): Promise<[number, number][][][]> {
  const pictures = Array.from({ length: count }, (_, index) => async () => {
    const { data, width, height } = await load(index);
    return encodePng(data as Uint8Array, width, height);
  });
  const page = await openPage(folder, pictures);
  try {
    const meshes: [number, number][][][] = [];
    for (let index = 0; index < count; index++) meshes.push(await page.evaluate(`find(${index}, ${most})`));
    return meshes;
  } finally {
    await page.close();
  }
}

interface FaceMeshPage {
  evaluate<R>(work: string): Promise<R>;
  close(): Promise<void>;
}

async function openPage(
  folder: string | undefined,
  pictures: readonly (() => Promise<Buffer>)[],
): Promise<FaceMeshPage> {
  if (folder === undefined) throw new Error(`MediaPipe face mesh: skipped (${INSTALL})`);
  const solution = locate('@mediapipe/face_mesh', [folder]);
  const playwright = locate('playwright-core', [folder, REPOSITORY]);
  const executablePath = process.env.VOXFACE_CHROMIUM ?? '/usr/bin/chromium';
  if (!solution || !playwright || !existsSync(executablePath)) {
    throw new Error(`MediaPipe face mesh: skipped, not all there (${INSTALL})`);
  }
  const server = createServer(async (request, response) => {
    const name = basename((request.url ?? '/').split('?')[0]);
    const picture = /^face-(\d+)\.png$/.exec(name);
    try {
      if (name === '') response.setHeader('content-type', 'text/html').end(PAGE);
      else if (picture)
        response.setHeader('content-type', 'image/png').end(await pictures[Number(picture[1])]());
      else response.setHeader('content-type', typeOf(name)).end(await readFile(join(solution, name)));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { chromium } = createRequire(import.meta.url)(playwright) as Playwright;
  const browser = await chromium.launch({ executablePath, args: BROWSER_FLAGS });
  const close = async (): Promise<void> => {
    await browser.close();
    server.close();
  };
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    return { evaluate: (work) => page.evaluate(work), close };
  } catch (error) {
    await close();
    throw new Error(`MediaPipe face mesh: skipped, ${(error as Error).message.split('\n')[0]}`);
  }
}

/** As `@voxface/test-utils` has them, which published packages do not depend on. */
const BROWSER_FLAGS = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
];

/** Folder of an installed package. */
function locate(name: string, folders: readonly (string | undefined)[]): string | undefined {
  for (const folder of folders) {
    if (folder === undefined) continue;
    try {
      return dirname(createRequire(join(folder, 'package.json')).resolve(`${name}/package.json`));
    } catch {
      // Not here; perhaps in the next folder.
    }
  }
  return undefined;
}

function typeOf(name: string): string {
  if (name.endsWith('.js')) return 'text/javascript';
  return name.endsWith('.wasm') ? 'application/wasm' : 'application/octet-stream';
}

function encodePng(pixels: Uint8Array, width: number, height: number): Promise<Buffer> {
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 1 })
    .toBuffer();
}
