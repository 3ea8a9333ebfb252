// `voxface bench models` of an older commit beside this checkout's (built), in turns, so that other load on the machine meets both:
//
//     node scripts/bench/models-before-after.mjs COMMIT [TURNS] [-- options of voxface bench models]
//
// The commit is checked out and built in a folder of its own beside the system's temporary files, which stays for the next time. Prints the
// best and the median of the turns' medians, milliseconds per face, and their ratios.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const [commit, turns = '5', ...rest] = process.argv.slice(2).filter((word) => word !== '--');
if (commit === undefined) throw new Error('models-before-after: expected a commit, got nothing');
const options = rest.length > 0 ? rest : ['--models', 'small', '--backends', 'onnx,wasm', '--rounds', '15'];
const run = (command, words, cwd) => execFileSync(command, words, { cwd, stdio: ['ignore', 2, 2] });
const hash = execFileSync('git', ['rev-parse', '--short', commit], { cwd: root, encoding: 'utf8' }).trim();
const before = join(tmpdir(), `voxface-${hash}`);
/** The command once lay in a package of its own. */
const binOf = (folder) =>
  ['voxface', 'cli']
    .map((name) => join(folder, 'packages', name, 'dist/bin.js'))
    .find((file) => existsSync(file));
if (binOf(before) === undefined) {
  if (!existsSync(before)) run('git', ['clone', '--quiet', root, before], root);
  run('git', ['checkout', '--quiet', hash], before);
  run('npx', ['-y', 'pnpm@12', 'install', '--frozen-lockfile', '--prefer-offline'], before);
  run('npx', ['-y', 'pnpm@12', 'build'], before);
}
const reports = mkdtempSync(join(tmpdir(), 'voxface-models-'));
/** Candidate -> medians of the turns, per checkout. */
const medians = { before: new Map(), after: new Map() };
for (let turn = 0; turn < Number(turns); turn++) {
  for (const [name, folder] of [
    ['before', before],
    ['after', root],
  ]) {
    const json = join(reports, `${name}-${turn}.json`);
    run('node', [binOf(folder), 'bench', 'models', ...options, '--json', json], folder);
    for (const { timings = [] } of JSON.parse(readFileSync(json, 'utf8')).sections) {
      for (const { name: candidate, wall } of timings) {
        medians[name].set(candidate, [...(medians[name].get(candidate) ?? []), wall.median]);
      }
    }
  }
}
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
console.log(
  `| ms per face (best, median of ${turns} turns) | ${hash} | this checkout | best, times | median, times |`,
);
console.log('| --- | --- | --- | --- | --- |');
for (const [candidate, old] of medians.before) {
  const now = medians.after.get(candidate);
  if (now === undefined) continue;
  const text = (values) => `${Math.min(...values).toFixed(1)}, ${median(values).toFixed(1)}`;
  const times = [Math.min(...now) / Math.min(...old), median(now) / median(old)].map((ratio) =>
    ratio.toFixed(2),
  );
  console.log(`| ${candidate} | ${text(old)} | ${text(now)} | ${times.join(' | ')} |`);
}
