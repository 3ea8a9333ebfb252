import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
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

/** Loads the solution and defines `timeFaces()`: milliseconds for all pictures. */
const PAGE = `<!doctype html><script src="/face_mesh.js"></script><script>
const mesh = new FaceMesh({ locateFile: (file) => '/' + file });
mesh.setOptions({ staticImageMode: true, maxNumFaces: 1, refineLandmarks: false });
let faces = 0;
mesh.onResults((results) => { faces += results.multiFaceLandmarks.length; });
async function prepare(count) {
  window.pictures = await Promise.all(Array.from({ length: count }, async (_, i) => {
    const image = new Image(); image.src = '/face-' + i + '.png'; await image.decode(); return image;
  }));
  await mesh.initialize();
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
  if (folder === undefined) throw new Error(`MediaPipe face mesh: skipped (${INSTALL})`);
  const solution = locate('@mediapipe/face_mesh', [folder]);
  const playwright = locate('playwright-core', [folder, REPOSITORY]);
  const executablePath = process.env.VOXFACE_CHROMIUM ?? '/usr/bin/chromium';
  if (!solution || !playwright || !existsSync(executablePath)) {
    throw new Error(`MediaPipe face mesh: skipped, not all there (${INSTALL})`);
  }
  const pictures = await Promise.all(cropsOf(PICTURE_SIZE).map(encodePng));
  const server = createServer(async (request, response) => {
    const name = basename((request.url ?? '/').split('?')[0]);
    const picture = /^face-(\d+)\.png$/.exec(name);
    try {
      if (name === '') response.setHeader('content-type', 'text/html').end(PAGE);
      else if (picture) response.setHeader('content-type', 'image/png').end(pictures[Number(picture[1])]);
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
    await page.evaluate(`prepare(${pictures.length})`);
    return {
      name: 'MediaPipe face mesh, Chromium, with its own detector',
      async run() {
        const [wall, faces] = await page.evaluate<[number, number]>('timeFaces()');
        if (faces === 0) throw new Error('MediaPipe face mesh: found no face');
        return { wall, cpu: Number.NaN };
      },
      close,
    };
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

function encodePng(crop: Uint8Array): Promise<Buffer> {
  return sharp(crop, { raw: { width: PICTURE_SIZE, height: PICTURE_SIZE, channels: 3 } })
    .png()
    .toBuffer();
}
