// Builds the small projects of scripts/bundlers against the packed `voxface`, with the tools that people use, and lets each
// find the faces of a photo: pages in Chromium, the others in their own runtime.
// Usage: node scripts/check-bundlers.mjs [--slow] [NAME...]   (without names: the quick ones, with --slow the others)
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { packPackages } from './pack-packages.mjs';

const OWN = ['landmarks', 'metrics', 'volume', 'datasets', 'predict', 'onnx', 'plots', 'pretrained'];
const CHROMIUM = process.env.VOXFACE_CHROMIUM ?? '/usr/bin/chromium';
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript' };
/** Centres of the faces of the photo in pixels. */
const FACES = [
  [506, 504],
  [938, 559],
  [1580, 347],
];
const WASM = 'application/wasm';
/** Longest wait for a page, milliseconds: whether it works is the question, not how fast a busy machine is. */
const PATIENCE = 300_000;

/**
 * Per project: its tools, the commands that build it (none: nothing to build), and either the folder that a page is served
 * from (`page`) or the command that prints the boxes of the faces found (`prints`), or neither.
 */
const PROJECTS = {
  vite: {
    tools: { vite: '8.3.8' },
    build: [['vite', 'build', '--base', './']],
    page: 'dist',
  },
  'vite-worker': {
    tools: { vite: '8.3.8' },
    build: [['vite', 'build', '--base', './']],
    page: 'dist',
  },
  webpack: {
    tools: { webpack: '5.113.0', 'webpack-cli': '7.3.1' },
    build: [['webpack', '--mode', 'production', '--entry', './main.js']],
    page: 'dist',
    script: 'main.js',
  },
  esbuild: {
    tools: { esbuild: '0.28.2' },
    build: [
      ['esbuild', 'main.js', '--bundle', '--format=esm', '--splitting', '--outdir=dist'],
      // What the README says: esbuild copies no files by itself.
      ['cp', '-r', '../node_modules/voxface/dist/web/.', 'dist'],
    ],
    page: 'dist',
    script: 'main.js',
  },
  types: {
    tools: { typescript: '6.0.3', '@types/node': '20.19.43' },
    // Declarations are checked as well: `skipLibCheck` is off.
    build: [
      ['tsc', '-p', 'nodenext.json'],
      ['tsc', '-p', 'bundler.json'],
    ],
  },
  commonjs: { tools: {}, prints: ['node', 'main.cjs'] },
  jest: {
    tools: { jest: '30.5.2' },
    prints: ['node', '--experimental-vm-modules', '../node_modules/jest/bin/jest.js', '--rootDir', '.'],
  },
  'next-turbopack': {
    slow: true,
    folder: 'next',
    tools: { next: '16.4.6', react: '19.3.1', 'react-dom': '19.3.1' },
    build: [['next', 'build', '--turbopack']],
    serve: ['next', 'start', '--hostname', '127.0.0.1', '--port'],
  },
  'next-webpack': {
    slow: true,
    folder: 'next',
    tools: { next: '16.4.6', react: '19.3.1', 'react-dom': '19.3.1' },
    build: [['next', 'build', '--webpack']],
    serve: ['next', 'start', '--hostname', '127.0.0.1', '--port'],
  },
  bun: { slow: true, tools: { bun: '1.4.5' }, prints: ['bun', 'main.js'] },
  deno: {
    slow: true,
    tools: { deno: '2.9.6' },
    prints: ['deno', 'run', '--allow-read', '--allow-env', '--allow-sys', '--allow-ffi', 'main.js'],
  },
};

const chosen = process.argv.slice(2).filter((word) => word !== '--slow');
const slow = process.argv.includes('--slow');
const unknown = chosen.filter((name) => !(name in PROJECTS));
if (unknown.length > 0) {
  throw new RangeError(
    `check-bundlers: no project ${unknown.join()}, there are ${Object.keys(PROJECTS).join(', ')}`,
  );
}
const names =
  chosen.length > 0 ? chosen : Object.keys(PROJECTS).filter((name) => Boolean(PROJECTS[name].slow) === slow);

const { tarballs, remove } = packPackages([...OWN, 'voxface']);
const folder = mkdtempSync(join(tmpdir(), 'voxface-bundlers-'));
// Playwright is the workspace's: the packages under test are used as in any project, without it.
const { chromium } = createRequire(join(process.cwd(), 'package.json'))('playwright-core');
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
let failed = 0;
try {
  installAll();
  for (const name of names) {
    const start = performance.now();
    const problem = await check(name, PROJECTS[name]).catch((error) => error.message);
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    console.log(`${typeof problem === 'string' ? 'FAILED' : 'ok    '} voxface with ${name}: ${seconds} s`);
    if (typeof problem === 'string') {
      failed++;
      console.error(problem.replace(/^/gm, '    '));
    }
  }
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
  remove();
}
process.exit(failed ? 1 : 0);

/** One folder with all the tools: the projects lie beside its node_modules. */
function installAll() {
  const addresses = Object.fromEntries(OWN.map((name) => [`@voxface/${name}`, `file:${tarballs.get(name)}`]));
  const manifest = {
    name: 'bundlers',
    private: true,
    dependencies: {
      voxface: `file:${tarballs.get('voxface')}`,
      ...Object.assign({}, ...names.map((name) => PROJECTS[name].tools)),
    },
    overrides: addresses,
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest, null, 2));
  run(folder, ['npm', 'install', '--no-audit', '--no-fund', '--silent', '--prefer-offline']);
}

async function check(name, { folder: source = name, build = [], page, script, serve, prints }) {
  const project = join(folder, name);
  cpSync(join('scripts/bundlers', source), project, { recursive: true });
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name, private: true, type: 'module' }));
  copyFileSync(findPhoto(), join(project, 'photo.jpg'));
  if (serve !== undefined) cpSync(findPhoto(), join(project, 'public/photo.jpg'));
  for (const command of build) run(project, command);
  if (prints !== undefined) {
    const boxes = /\[\{"x".*?\}\]/.exec(run(project, prints))?.[0];
    expectFaces(JSON.parse(boxes ?? '[]'));
  }
  if (page !== undefined) {
    copyFileSync(findPhoto(), join(project, page, 'photo.jpg'));
    if (script !== undefined) {
      writeFileSync(
        join(project, page, 'index.html'),
        `<!doctype html><script type="module" src="./${script}"></script>`,
      );
    }
    await withFiles(join(project, page), (address) => expectFacesInPage(address));
  }
  if (serve !== undefined) await checkServed(project, serve);
}

/** A server of the framework: its page finds faces in Chromium, its route finds the same in Node. */
async function checkServed(project, serve) {
  const port = 20_000 + (process.pid % 20_000);
  const child = spawn(binary(serve[0]), [...serve.slice(1), String(port)], {
    cwd: project,
    stdio: 'ignore',
    env: environment(),
  });
  try {
    const address = `http://127.0.0.1:${port}/`;
    await waitFor(address);
    await expectFacesInPage(address);
    const response = await fetch(`${address}api/faces`);
    if (!response.ok) throw new Error(`the route answered ${response.status}: ${await response.text()}`);
    expectFaces((await response.json()).map(({ box }) => box));
  } finally {
    child.kill();
  }
}

async function expectFacesInPage(address) {
  const page = await browser.newPage();
  const messages = [];
  page.on('pageerror', ({ message }) => messages.push(message));
  page.on('console', (message) => message.type() === 'error' && messages.push(message.text()));
  try {
    await page.goto(address, { timeout: PATIENCE });
    await page.waitForFunction('globalThis.faces', undefined, { timeout: PATIENCE });
    expectFaces(await page.evaluate('globalThis.faces.map(({ box }) => ({ ...box }))'));
  } catch (error) {
    throw new Error([error.message, ...messages].join('\n'), { cause: error });
  } finally {
    await page.close();
  }
}

/** The three faces of the photo: their boxes cover the heads, wherever they were found. */
function expectFaces(boxes) {
  const centres = boxes.map(({ x, y, width, height }) => [x + width / 2, y + height / 2]);
  for (const [x, y] of FACES) {
    if (!centres.some(([left, top]) => Math.hypot(left - x, top - y) < 60)) {
      throw new Error(`no face at ${x}, ${y}: found ${JSON.stringify(boxes)}`);
    }
  }
}

/** Serves a folder below a path, as project pages are. */
async function withFiles(root, work) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://x');
    const name = pathname === '/below/' ? 'index.html' : pathname.replace('/below/', '');
    const file = join(root, name);
    if (!existsSync(file)) return response.writeHead(404).end();
    const type = extname(file) === '.wasm' ? WASM : (TYPES[extname(file)] ?? 'application/octet-stream');
    return response.setHeader('content-type', type).end(readFileSync(file));
  });
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  try {
    await work(`http://127.0.0.1:${server.address().port}/below/`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function waitFor(address) {
  for (let i = 0; i < 120; i++) {
    if (
      await fetch(address).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      return;
    await new Promise((resolve) => {
      setTimeout(resolve, 500);
    });
  }
  throw new Error(`nothing answers at ${address}`);
}

function run(cwd, [command, ...args]) {
  const { status, stdout, stderr } = spawnSync(binary(command), args, {
    cwd,
    encoding: 'utf8',
    env: environment(),
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}\n${stdout}${stderr}`);
  return stdout + stderr;
}

/** A tool of the project's folder, or of the machine. */
function binary(command) {
  const own = join(folder, 'node_modules/.bin', command);
  return existsSync(own) ? own : command;
}

function environment() {
  return { ...process.env, CI: 'true', NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: undefined };
}

/** A photo that comes with face-api. */
function findPhoto() {
  const { resolve } = createRequire(join(process.cwd(), 'packages/models/package.json'));
  return join(dirname(resolve('@vladmandic/face-api/package.json')), 'demo', 'sample1.jpg');
}
