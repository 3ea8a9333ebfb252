// Writes the table of docs/backends.md: kernels x backends, each as it comes from npm and after setupBackend.
// Run from the repository root:
//   node --import tsx --conditions=voxface-source scripts/backend/make-backends-table.mts [backend ...]
// Backends: cpu, wasm, node (needs `voxface setup-node`), webgpu (needs an adapter). Default: cpu wasm.
// Each run is a process of its own (`--stock NAME` or `--ours NAME`), because kernels are registered globally.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const self = fileURLToPath(import.meta.url);
const page = fileURLToPath(new URL('../../docs/backends.md', import.meta.url));
const source = new URL('../../packages/backend/src/', import.meta.url);
const MARKER = '@@conformance ';

type State = 'ok' | 'missing' | 'wrong';
type Table = Record<string, State>;

/** Worst outcome per kernel, forward and gradient. */
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
    backend = (await setupBackend(name)).name;
  }
  const report = await runConformance({ backend });
  const table: Table = {};
  for (const { kernel, check, passed, problem } of report.results) {
    if (kernel === 'all' || kernel === 'network') continue;
    const row = check === 'forward' ? kernel : `${kernel}, gradient`;
    const isMissing = /not registered|not found/.test(problem ?? '');
    const state: State = passed ? 'ok' : isMissing ? 'missing' : 'wrong';
    if (table[row] === undefined || table[row] === 'ok') table[row] = state;
  }
  console.log(MARKER + JSON.stringify({ table, checks: report.checks, failures: report.failures.length }));
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

interface Measured {
  table: Table;
  checks: number;
  failures: number;
}

function run(mode: string, name: string): Measured {
  const args = ['--import', 'tsx', '--conditions=voxface-source', self, mode, name];
  const output = execFileSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const line = output.split('\n').find((text) => text.startsWith(MARKER));
  if (line === undefined)
    throw new Error(`make-backends-table: ${mode} ${name} must print its results, got none`);
  return JSON.parse(line.slice(MARKER.length)) as Measured;
}

function cell(stock: State | undefined, ours: State | undefined): string {
  if (stock === 'ok' || stock === undefined) return ours === 'ok' ? 'ok' : (ours ?? '');
  return ours === 'ok' ? `${stock}, **fixed**` : stock;
}

const [mode, ...rest] = process.argv.slice(2);
if (mode === '--stock' || mode === '--ours') {
  await measure(mode, rest[0]);
} else {
  const names = mode === undefined ? ['cpu', 'wasm'] : [mode, ...rest];
  const columns = names.map((name) => ({ name, stock: run('--stock', name), ours: run('--ours', name) }));
  const rows = [
    ...new Set(columns.flatMap((c) => [...Object.keys(c.stock.table), ...Object.keys(c.ours.table)])),
  ];
  const lines = [
    `| kernel | ${names.join(' | ')} |`,
    `|---|${names.map(() => '---').join('|')}|`,
    ...rows
      .sort()
      .map(
        (row) =>
          `| ${row} | ${columns.map((c) => cell(c.stock.table[row], c.ours.table[row])).join(' | ')} |`,
      ),
    `| checks failed, from npm | ${columns.map((c) => `${c.stock.failures} of ${c.stock.checks}`).join(' | ')} |`,
    `| checks failed, after setupBackend | ${columns.map((c) => `${c.ours.failures} of ${c.ours.checks}`).join(' | ')} |`,
  ];
  const text = readFileSync(page, 'utf8');
  const [head, , tail] = text.split(/(<!-- table -->[\s\S]*<!-- end of table -->)/);
  writeFileSync(page, `${head}<!-- table -->\n${lines.join('\n')}\n<!-- end of table -->${tail}`);
  console.log(lines.join('\n'));
}
