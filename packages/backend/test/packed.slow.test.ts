import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const packageFolder = fileURLToPath(new URL('..', import.meta.url));
const browser = process.env.VOXFACE_CHROMIUM ?? '/usr/bin/chromium';

/** Ten lines that train a small convolutional network; the same in Node and in a page. */
const SCRIPT = `import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { setupBackend } from '@voxface/backend';
const info = await setupBackend('wasm');
const network = sequential();
network.add(layers.conv2d({ inputShape: [16, 16, 1], filters: 8, kernelSize: 3, strides: 2, activation: 'relu' }));
network.add(layers.dense({ units: 1, inputDim: 392 }));
network.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
const { history } = await network.fit(tf.randomNormal([32, 16, 16, 1]), tf.ones([32, 7, 7, 1]), { epochs: 8 });
globalThis.report = { backend: info.name, losses: history.loss };
`;

interface Report {
  backend: string;
  losses: number[];
}

function expectTrained({ backend, losses }: Report): void {
  expect(backend).toBe('wasm');
  expect(losses).toHaveLength(8);
  expect(losses[7]).toBeLessThan(losses[0]);
}

const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
};

function serve(folder: string): Promise<Server> {
  const server = createServer((request, response) => {
    const file = join(
      folder,
      request.url === '/' ? 'index.html' : new URL(request.url!, 'http://x').pathname,
    );
    if (!existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
    return response.end(readFileSync(file));
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

describe('the packed package trains', () => {
  let project: string;

  beforeAll(() => {
    project = mkdtempSync(join(tmpdir(), 'voxface-packed-'));
    const run = (command: string, args: string[], cwd: string) =>
      execFileSync(command, args, { cwd, stdio: 'pipe', encoding: 'utf8' });
    run('npx', ['tsdown'], packageFolder);
    run('npx', ['-y', 'pnpm@12', 'pack', '--pack-destination', project], packageFolder);
    const tarball = readdirSync(project).find((file) => file.endsWith('.tgz'))!;
    writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
    const install = [
      'install',
      '--no-audit',
      '--no-fund',
      '--prefer-offline',
      '--omit=optional',
      `./${tarball}`,
    ];
    run('npm', [...install, '@tensorflow/tfjs-core@4.22.0', '@tensorflow/tfjs-layers@4.22.0'], project);
  });

  afterAll(() => rmSync(project, { recursive: true, force: true }));

  it('from a plain Node script', () => {
    writeFileSync(
      join(project, 'script.mjs'),
      `${SCRIPT}console.log('report ' + JSON.stringify(globalThis.report));\n`,
    );
    const output = execFileSync(process.execPath, ['script.mjs'], {
      cwd: project,
      encoding: 'utf8',
      stdio: 'pipe',
    });
    const line = output.split('\n').find((text) => text.startsWith('report '))!;
    expectTrained(JSON.parse(line.slice('report '.length)) as Report);
  });

  it.skipIf(!existsSync(browser))('from a page built with Vite', async () => {
    writeFileSync(join(project, 'page.js'), SCRIPT);
    writeFileSync(
      join(project, 'index.html'),
      '<!doctype html><script type="module" src="./page.js"></script>',
    );
    await build({
      root: project,
      logLevel: 'error',
      configFile: false,
      build: { target: 'es2022', outDir: 'site' },
    });
    const server = await serve(join(project, 'site'));
    const address = server.address() as { port: number };
    const instance = await chromium.launch({ executablePath: browser, args: ['--no-sandbox'] });
    try {
      const page = await instance.newPage();
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(error.message));
      await page.goto(`http://127.0.0.1:${address.port}/`);
      const handle = await page
        .waitForFunction('globalThis.report', undefined, { timeout: 120_000 })
        .catch(() => {
          throw new Error(`the page must train, it said: ${errors.join('; ') || 'nothing'}`);
        });
      expectTrained((await handle.jsonValue()) as Report);
    } finally {
      await instance.close();
      server.close();
    }
  });
});
