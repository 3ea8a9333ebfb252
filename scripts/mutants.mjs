// Mutation testing of the arithmetic that training and evaluation stand on: `npx -y pnpm@12 mutants [PART...]`, parts: wiring,
// schedule, losses, phases (of train), volume, metrics (all when none is named); `--file TEXT` changes only files whose name has it. `wiring` tries the wrong wirings of wiring.mjs, one
// after the other. For the others Stryker changes one expression at a time and runs the fast tests that cover it; a change that
// no test notices survives. Texts are not changed: the words of messages are no arithmetic; nor are tables and
// constants, which tests compare with the paper's. A part goes on from its last report (Stryker's incremental mode).
// Reports: .cache/mutants/PART.json and PART.txt. Ends with 1 when a score is under the bar.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Stryker } from '@stryker-mutator/core';
import { WIRING } from './wiring.mjs';

const BAR = 85;
const train = (files, tests) => ({
  tests: tests.map((name) => `packages/train/test/${name}.test.ts`),
  mutate: files.map((name) => `packages/train/src/${name}.ts`),
});
/** What is changed, and the tests that are run: those of a package, of `train` those that are about the files alone. */
const PARTS = {
  schedule: train(['schedule', 'stages'], ['numbers', 'oracle-run']),
  losses: train(['losses'], ['losses', 'oracle-phases']),
  phases: train(['phases'], ['losses', 'oracle-phases', 'oracle-run']),
  volume: { tests: ['packages/volume/test/*.test.ts'], mutate: ['packages/volume/src/**/*.ts'] },
  metrics: {
    tests: ['packages/metrics/test/*.test.ts'],
    // Published figures are a table.
    mutate: ['packages/metrics/src/**/*.ts', '!packages/metrics/src/published.ts'],
  },
};

const ALL = ['wiring', ...Object.keys(PARTS)];
const args = process.argv.slice(2);
/** `--file TEXT`: only the files of the parts whose paths contain it. */
const only = args.includes('--file') ? args.splice(args.indexOf('--file'), 2)[1] : undefined;
const names = args;
for (const name of names) {
  if (ALL.includes(name)) continue;
  console.error(`mutants: no part '${name}' (there are ${ALL.join(', ')})`);
  process.exit(2);
}
mkdirSync('.cache/mutants', { recursive: true });
let isEnough = true;
for (const name of names.length > 0 ? names : ALL) {
  if (name === 'wiring') {
    if (!tryWirings()) isEnough = false;
    continue;
  }
  process.env.VOXFACE_MUTANTS = PARTS[name].tests.join(',');
  const file = `.cache/mutants/${name}.json`;
  await new Stryker({
    mutate: only
      ? [`packages/{train,volume,metrics}/src/**/*${only}*`]
      : [...PARTS[name].mutate, '!**/index.ts'],
    mutator: { excludedMutations: ['StringLiteral'] },
    testRunner: 'one-process',
    plugins: [fileURLToPath(new URL('mutants-runner.mjs', import.meta.url))],
    testRunnerNodeArgs: ['--conditions=voxface-source', '--import', 'tsx'],
    maxTestRunnerReuse: 200,
    checkers: [],
    disableTypeChecks: false,
    // What runs while a module loads (tables, constants) would take a run of all tests for each change.
    ignoreStatic: true,
    concurrency: 1,
    timeoutMS: 20_000,
    timeoutFactor: 4,
    dryRunTimeoutMinutes: 15,
    tempDirName: '.cache/stryker',
    ignorePatterns: ['.turbo', 'docs', 'examples', '**/dist', '**/*.bin', 'packages/pretrained'],
    incremental: true,
    incrementalFile: `.cache/mutants/${name}-incremental.json`,
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

/** Runs the tests of train with each wrong wiring; whether all of them fail, and the right one passes. */
function tryWirings() {
  const lines = ['', ...WIRING.map(({ name }) => name)].map((wrong) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [
        'node_modules/vitest/vitest.mjs',
        'run',
        '--config',
        'scripts/mutants.vitest.config.ts',
        '--bail',
        '1',
        '--maxWorkers',
        '1',
      ],
      {
        env: {
          ...process.env,
          NO_COLOR: '1',
          VOXFACE_MUTANTS: 'packages/train/test/*.test.ts',
          VOXFACE_WIRING: wrong,
        },
        encoding: 'utf8',
      },
    );
    // A test has failed, and not for a file that cannot be loaded.
    const failure = /FAIL +(?:\S+ )?(packages\S+ > .*)/.exec(stdout + stderr)?.[1];
    const isRight = wrong === '' ? status === 0 : failure !== undefined;
    const line = `  ${isRight ? 'ok' : 'WRONG'}: ${wrong || 'as it is'}: ${failure ?? (status === 0 ? 'all pass' : 'no test ran')}`;
    console.log(line);
    return { line, isRight };
  });
  writeFileSync('.cache/mutants/wiring.txt', `${lines.map(({ line }) => line).join('\n')}\n`);
  return lines.every(({ isRight }) => isRight);
}

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
