// The shape of the house, with limits: source files and their length, circles, which package may import which
// (ALLOWED below), and the names that packages export. Run from the root: npx -y pnpm@12 house
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cruise } from 'dependency-cruiser';
import ts from 'typescript';

/** What must hold. */
const LIMITS = {
  files: 320,
  medianAtLeast: 80,
  medianAtMost: 140,
  longest: 420,
  circles: 0,
  exports: 640,
};

/** Packages that each package may import; a tensor library only where `tensors` says so. */
const ALLOWED = {
  landmarks: [],
  metrics: ['landmarks'],
  volume: ['landmarks'],
  datasets: ['landmarks'],
  facefit: ['landmarks', 'datasets'],
  backend: [],
  predict: ['landmarks'],
  models: ['landmarks', 'volume', 'backend', 'predict'],
  train: ['landmarks', 'volume', 'backend', 'predict', 'models', 'datasets', 'facefit', 'metrics'],
  onnx: ['landmarks', 'volume', 'predict', 'models'],
  plots: ['landmarks', 'metrics', 'volume'],
  pretrained: [],
  'test-utils': ['landmarks'],
  voxface: 'all but benchmarks',
  benchmarks: 'all',
};
const TENSORS = ['volume', 'backend', 'models', 'train', 'onnx', 'test-utils', 'voxface', 'benchmarks'];
/** Generated files and binaries' wrappers, which nobody reads. */
const GENERATED = /\.generated\.ts$/;

const packages = readdirSync('packages').sort();
const sources = packages.flatMap((name) => listSources(join('packages', name, 'src')));
const { modules, violations } = await cruiseSources();
const problems = [];

const lengths = sources.map((file) => ({ file, lines: readFileSync(file, 'utf8').split('\n').length - 1 }));
lengths.sort((a, b) => a.lines - b.lines);
const median = lengths[lengths.length >> 1].lines;
const longest = lengths[lengths.length - 1];
const names = packages.filter(isPublic).map((name) => [name, countExports(name)]);
const exported = names.reduce((sum, [, count]) => sum + count, 0);
const circles = violations.filter(({ rule }) => rule.name === 'circles');
const crossings = violations.filter(({ rule }) => rule.name !== 'circles');

report('source files in packages', lengths.length, lengths.length <= LIMITS.files, `at most ${LIMITS.files}`);
report(
  'median lines',
  median,
  median >= LIMITS.medianAtLeast && median <= LIMITS.medianAtMost,
  `${LIMITS.medianAtLeast} to ${LIMITS.medianAtMost}`,
);
report(
  'longest file',
  `${longest.lines} (${longest.file})`,
  longest.lines <= LIMITS.longest,
  `at most ${LIMITS.longest}`,
);
report('circles', circles.length, circles.length <= LIMITS.circles, `at most ${LIMITS.circles}`);
report('imports across a boundary', crossings.length, crossings.length === 0, 'none');
const spread = sources.filter((file) =>
  /\{\s*\.\.\.\w+_DEFAULTS,\s*\.\.\.\w+,?\s*\}/.test(readFileSync(file, 'utf8')),
);
report(
  'options spread over defaults',
  spread.length,
  spread.length === 0,
  'none: an explicit undefined would win, withDefaults',
);
report('exported names', exported, exported <= LIMITS.exports, `at most ${LIMITS.exports}`);
for (const { cycle, from } of circles)
  console.error(`  circle: ${[from, ...cycle.map(({ name }) => name)].join(' -> ')}`);
for (const file of spread) console.error(`  options spread over defaults: ${file}`);
for (const { rule, from, to } of crossings) console.error(`  ${rule.name}: ${from} -> ${to}`);

console.log('\npackage       files  lines  exports');
for (const name of packages) {
  const own = lengths.filter(({ file }) => file.startsWith(`packages/${name}/`));
  const lines = own.reduce((sum, { lines: count }) => sum + count, 0);
  const count = names.find(([known]) => known === name)?.[1] ?? '-';
  console.log(
    `${name.padEnd(13)} ${String(own.length).padStart(5)} ${String(lines).padStart(6)} ${String(count).padStart(8)}`,
  );
}
console.log(`${modules.length} modules looked at`);
process.exit(problems.length > 0 ? 1 : 0);

function report(what, value, passed, rule) {
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${what}: ${value} (${rule})`);
  if (!passed) problems.push(what);
}

function listSources(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !GENERATED.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).replaceAll('\\', '/'));
}

async function cruiseSources() {
  const forbidden = [
    { name: 'circles', severity: 'error', from: {}, to: { circular: true } },
    ...Object.entries(ALLOWED).map(([name, allowed]) => ({
      name: `imports of ${name}`,
      severity: 'error',
      from: { path: `^packages/${name}/src/` },
      // A package that is not among the dependencies is not resolved and keeps its name.
      to: {
        path: '^packages/|^@?voxface',
        pathNot: `^packages/(${[name, ...expand(allowed)].join('|')})/`,
      },
    })),
    ...packages
      .filter((name) => !TENSORS.includes(name))
      .map((name) => ({
        name: `tensors in ${name}`,
        severity: 'error',
        from: { path: `^packages/${name}/src/` },
        to: { path: '@tensorflow/' },
      })),
  ];
  const { output } = await cruise(
    packages.map((name) => `packages/${name}/src`),
    {
      ruleSet: { forbidden },
      validate: true,
      doNotFollow: { path: 'node_modules|/dist/' },
      exclude: { path: '/dist/|/test/' },
      tsPreCompilationDeps: true,
      preserveSymlinks: false,
      enhancedResolveOptions: {
        exportsFields: ['exports'],
        conditionNames: ['voxface-source', 'import', 'types', 'default'],
        extensions: ['.ts', '.js', '.mjs', '.json'],
      },
    },
    { tsConfig: undefined },
  );
  return { modules: output.modules, violations: output.summary.violations };
}

function expand(allowed) {
  if (typeof allowed !== 'string') return allowed;
  return packages.filter((name) => allowed === 'all' || !['benchmarks', 'test-utils'].includes(name));
}

function isPublic(name) {
  return !JSON.parse(readFileSync(`packages/${name}/package.json`, 'utf8')).private;
}

/** Names that the entry points of a package export and that are not marked `@internal`. */
function countExports(name) {
  const { exports } = JSON.parse(readFileSync(`packages/${name}/package.json`, 'utf8'));
  const entries = Object.values(exports)
    .flatMap((entry) => {
      const source = entry['voxface-source'];
      return typeof source === 'object' ? Object.values(source) : [source];
    })
    .filter((file) => file?.endsWith('.ts'))
    .map((file) => join('packages', name, file));
  const program = ts.createProgram(entries, {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    customConditions: ['voxface-source'],
    allowImportingTsExtensions: true,
    noEmit: true,
    skipLibCheck: true,
  });
  const checker = program.getTypeChecker();
  const exported = new Set();
  for (const entry of entries) {
    const symbol = checker.getSymbolAtLocation(program.getSourceFile(entry));
    if (symbol === undefined) continue;
    for (const item of checker.getExportsOfModule(symbol)) {
      const target = item.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(item) : item;
      if (!target.getJsDocTags().some((tag) => tag.name === 'internal')) exported.add(item.name);
    }
  }
  return exported.size;
}
