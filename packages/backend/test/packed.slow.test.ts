import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CHROMIUM } from '@voxface/test-utils/node';
import { build, createServer } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPage } from './open-page.ts';

const packageFolder = fileURLToPath(new URL('..', import.meta.url));
const PAGE = '<!doctype html><script type="module" src="./page.js"></script>';

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
    const others = ['tfjs-core@4.22.0', 'tfjs-layers@4.22.0'].map((name) => `@tensorflow/${name}`);
    run('npm', [...install, ...others, 'webpack@5', 'webpack-cli@6'], project);
    writeFileSync(join(project, 'page.js'), SCRIPT);
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

  it.skipIf(!existsSync(CHROMIUM))('from a page built with Vite', async () => {
    writeFileSync(join(project, 'index.html'), PAGE);
    await build({
      root: project,
      logLevel: 'error',
      configFile: false,
      build: { target: 'es2022', outDir: 'vite-site' },
    });
    const { report } = await openPage<Report>(join(project, 'vite-site'));
    expectTrained(report);
  });

  it.skipIf(!existsSync(CHROMIUM))('from a page of the development server of Vite', async () => {
    writeFileSync(join(project, 'index.html'), PAGE);
    const server = await createServer({
      root: project,
      logLevel: 'error',
      configFile: false,
      server: { port: 0, host: '127.0.0.1' },
    });
    try {
      await server.listen();
      const { report } = await openPage<Report>(server.resolvedUrls!.local[0]);
      expectTrained(report);
    } finally {
      await server.close();
    }
  });

  it.skipIf(!existsSync(CHROMIUM)).each([
    { title: 'with threads', isIsolated: true },
    { title: 'without threads', isIsolated: false },
  ])('from a page built with webpack, $title', async ({ isIsolated }) => {
    const site = join(project, 'webpack-site');
    if (!existsSync(site)) {
      const binary = join(project, 'node_modules/.bin/webpack');
      const options = ['--mode', 'production', '--entry', './page.js', '--output-path', site];
      execFileSync(binary, options, { cwd: project, stdio: 'pipe' });
      writeFileSync(join(site, 'index.html'), '<!doctype html><script defer src="./main.js"></script>');
    }
    const { report, requests } = await openPage<Report>(site, { isIsolated });
    expectTrained(report);
    expect(requests.filter((path) => path.endsWith('.wasm'))).toHaveLength(1);
  });
});
