// Mutation testing of the arithmetic that training and evaluation stand on: `npx -y pnpm@12 mutants [PART...]`, parts: train,
// volume, metrics (all when none is named). Stryker changes one expression at a time and runs the unit tests of the
// package that cover it; a change that no test notices survives. Texts are not changed: the words of messages are no
// arithmetic; nor are tables and constants, which tests compare with the paper's. Reports: .cache/mutants/PART.json and PART.txt. Ends with 1 when a score is under the bar.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Stryker } from '@stryker-mutator/core';

const BAR = 85;
const PARTS = {
  train: ['phases', 'losses', 'schedule', 'stages'].map((name) => `packages/train/src/${name}.ts`),
  volume: ['packages/volume/src/**/*.ts'],
  metrics: [
    'packages/metrics/src/**/*.ts',
    '!packages/metrics/src/published.ts',
    '!packages/metrics/src/published/**',
  ],
};

const names = process.argv.slice(2);
for (const name of names) {
  if (PARTS[name] !== undefined) continue;
  console.error(`mutants: no part '${name}' (there are ${Object.keys(PARTS).join(', ')})`);
  process.exit(2);
}
mkdirSync('.cache/mutants', { recursive: true });
let isEnough = true;
for (const name of names.length > 0 ? names : Object.keys(PARTS)) {
  process.env.VOXFACE_MUTANTS = name;
  const file = `.cache/mutants/${name}.json`;
  await new Stryker({
    mutate: [...PARTS[name], '!**/index.ts'],
    mutator: { excludedMutations: ['StringLiteral'] },
    testRunner: 'vitest',
    vitest: { configFile: 'scripts/mutants.vitest.config.ts', related: false },
    plugins: ['@stryker-mutator/vitest-runner'],
    checkers: [],
    disableTypeChecks: false,
    // What runs while a module loads (tables, constants) would take a run of all tests for each change.
    ignoreStatic: true,
    concurrency: 1,
    timeoutMS: 60_000,
    timeoutFactor: 4,
    dryRunTimeoutMinutes: 15,
    tempDirName: '.cache/stryker',
    ignorePatterns: ['.turbo', 'docs', 'examples', '**/dist', '**/*.bin', 'packages/pretrained'],
    reporters: ['json', 'progress'],
    jsonReporter: { fileName: file },
    thresholds: { high: 95, low: BAR, break: null },
    allowConsoleColors: false,
    fileLogLevel: 'off',
  }).runMutationTest();
  const { text, score } = summarize(JSON.parse(readFileSync(file, 'utf8')));
  writeFileSync(`.cache/mutants/${name}.txt`, text);
  console.log(`${name}:\n${text}`);
  if (score < BAR) isEnough = false;
}
process.exit(isEnough ? 0 : 1);

/** Counts per file, and every survivor with its place, the text there and what replaced it. */
function summarize({ files }) {
  const lines = [];
  const all = { killed: 0, survived: 0 };
  for (const [file, { mutants, source }] of Object.entries(files)) {
    const counts = { killed: 0, survived: 0 };
    const survivors = [];
    for (const { status, location, mutatorName, replacement } of mutants) {
      if (status === 'Killed' || status === 'Timeout') counts.killed++;
      else if (status === 'Survived' || status === 'NoCoverage') {
        counts.survived++;
        survivors.push(
          `    ${location.start.line}:${location.start.column} ${mutatorName}${status === 'NoCoverage' ? ', no test' : ''}: ${cut(textAt(source, location))} -> ${cut(replacement)}`,
        );
      }
    }
    all.killed += counts.killed;
    all.survived += counts.survived;
    lines.push(`  ${file}: ${describe(counts)}`, ...survivors);
  }
  lines.push(`  all: ${describe(all)}`);
  return { text: `${lines.join('\n')}\n`, score: (100 * all.killed) / (all.killed + all.survived) };
}

function describe({ killed, survived }) {
  const total = killed + survived;
  return `${killed} of ${total} killed (${total === 0 ? 100 : ((100 * killed) / total).toFixed(1)} %)`;
}

function textAt(source, { start, end }) {
  const lines = source.split('\n').slice(start.line - 1, end.line);
  lines[lines.length - 1] = lines.at(-1).slice(0, end.column - 1);
  lines[0] = lines[0].slice(start.column - 1);
  return lines.join(' ');
}

function cut(text = '') {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 70 ? `${line.slice(0, 67)}...` : line;
}
