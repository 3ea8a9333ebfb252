// Writes the table of docs/backends.md: kernels x backends, each as it comes from npm and after setupBackend.
// Run from the repository root:
//   node --import tsx --conditions=voxface-source scripts/backend/make-backends-table.mts [backend ...]
// Backends: cpu, wasm, webgl and webgpu (in Chromium, see measure-in-chromium.mts), node (needs `voxface setup-node`).
// Default: all of them. Each run is a process or a page of its own, because kernels are registered globally
// (`--stock NAME` or `--ours NAME` prints one).
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { kernelStates, type Measured, type State } from '../../packages/backend/bench/kernel-states.ts';

const self = fileURLToPath(import.meta.url);
const page = fileURLToPath(new URL('../../docs/backends.md', import.meta.url));
const source = new URL('../../packages/backend/src/', import.meta.url);
const MARKER = '@@conformance ';
const IN_CHROMIUM = ['webgl', 'webgpu'];

/** Prints the states of one backend of Node. */
async function measure(mode: string, name: string): Promise<void> {
  const { setupBackend } = await import(new URL('index.ts', source).href);
  const { runConformance } = await import(new URL('conformance.ts', source).href);
  await setupBackend('cpu');
  let backend = name;
  if (mode === '--ours') {
    backend = (await setupBackend(name)).name;
  } else if (name === 'cpu') {
    // The original kernel, under the name of another backend that is otherwise the same.
    await restoreCpu();
  } else if (name === 'wasm') {
    createRequire(new URL('index.ts', source))('@tensorflow/tfjs-backend-wasm');
  } else {
    const { loadTfjsNode } = await import(new URL('setup-node.ts', source).href);
    backend = loadTfjsNode().backendName;
  }
  const report = await runConformance({ backend });
  console.log(MARKER + JSON.stringify(kernelStates(report)));
  process.exit(0);
}

/** Puts the cpu backend's own kernels back over ours. */
async function restoreCpu(): Promise<void> {
  const require = createRequire(new URL('index.ts', source));
  const core = require('@tensorflow/tfjs-core');
  const path = require.resolve('@tensorflow/tfjs-backend-cpu');
  core.unregisterKernel('ResizeNearestNeighborGrad', 'cpu');
  const warn = console.warn;
  console.warn = () => {};
  delete require.cache[path];
  require(path);
  console.warn = warn;
}

async function run(mode: 'stock' | 'ours', name: string): Promise<Measured> {
  console.error(`${name}, ${mode}`);
  if (IN_CHROMIUM.includes(name)) {
    const { measureInChromium } = await import('./measure-in-chromium.mts');
    return measureInChromium(name, mode);
  }
  const args = ['--import', 'tsx', '--conditions=voxface-source', self, `--${mode}`, name];
  const output = execFileSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const line = output.split('\n').find((text) => text.startsWith(MARKER));
  if (line === undefined)
    throw new Error(`make-backends-table: --${mode} ${name} must print its results, got none`);
  return JSON.parse(line.slice(MARKER.length)) as Measured;
}

function cell(stock: State | undefined, ours: State | undefined): string {
  if (stock === 'ok' || stock === undefined) return ours === 'ok' ? 'ok' : (ours ?? '');
  return ours === 'ok' ? `${stock}, **fixed**` : stock;
}

/** Rows of a Markdown table, the first one its head, in columns of equal width. */
function formatTable(cells: string[][]): string[] {
  const widths = cells[0].map((_, i) => Math.max(...cells.map((row) => row[i].length)));
  const line = (row: string[]): string => `| ${row.map((text, i) => text.padEnd(widths[i])).join(' | ')} |`;
  const [head, ...body] = cells;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)];
}

const [mode, ...rest] = process.argv.slice(2);
if (mode === '--stock' || mode === '--ours') {
  await measure(mode, rest[0]);
} else {
  const names = mode === undefined ? ['cpu', 'wasm', ...IN_CHROMIUM, 'node'] : [mode, ...rest];
  const columns: { stock: Measured; ours: Measured }[] = [];
  for (const name of names) columns.push({ stock: await run('stock', name), ours: await run('ours', name) });
  const rows = [
    ...new Set(columns.flatMap((c) => [...Object.keys(c.stock.table), ...Object.keys(c.ours.table)])),
  ];
  const count = (kind: 'stock' | 'ours') => columns.map((c) => `${c[kind].failures} of ${c[kind].checks}`);
  const lines = formatTable([
    ['kernel', ...names],
    ...rows.sort().map((row) => [row, ...columns.map((c) => cell(c.stock.table[row], c.ours.table[row]))]),
    ['checks failed, from npm', ...count('stock')],
    ['checks failed, after setupBackend', ...count('ours')],
  ]);
  const text = readFileSync(page, 'utf8');
  const [head, , tail] = text.split(/(<!-- table -->[\s\S]*<!-- end of table -->)/);
  writeFileSync(page, `${head}<!-- table -->\n${lines.join('\n')}\n<!-- end of table -->${tail}`);
  console.log(lines.join('\n'));
}
