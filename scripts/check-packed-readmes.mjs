// Follows every package's README as a reader would: its first `npm i` line in an empty folder, with npm and with pnpm, then
// its first JavaScript block in plain Node. The packages come from the tarballs that would be published.
// Usage: node scripts/check-packed-readmes.mjs [PACKAGE...] [--manager=npm|pnpm]
// Prints how long installing and the block took by the clock and in processor time, and what lies installed: for `voxface`
// that is the time from `npm i` to the first landmarks of a photo.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { packPackages } from './pack-packages.mjs';
import { linkData, readFirstBlock, skipsWithoutData } from './readme-blocks.mjs';

const chosen = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));
const wanted = process.argv.find((arg) => arg.startsWith('--manager='))?.split('=')[1];
const managers = wanted === undefined ? ['npm', 'pnpm'] : [wanted];

const manifests = new Map(
  readdirSync('packages')
    .map((name) => [name, JSON.parse(readFileSync(`packages/${name}/package.json`, 'utf8'))])
    .filter(([, manifest]) => !manifest.private),
);
const { tarballs, remove } = packPackages([...manifests.keys()]);
const addresses = Object.fromEntries(
  [...manifests].map(([name, manifest]) => [manifest.name, `file:${tarballs.get(name)}`]),
);
/** MB in node_modules at most, after the README's own install line. */
const LARGEST = { voxface: 150, metrics: 1, landmarks: 1 };
let failed = 0;
try {
  for (const [name, manifest] of manifests) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    for (const manager of managers) follow(name, manifest, manager);
  }
} finally {
  remove();
}
process.exit(failed ? 1 : 0);

function follow(name, manifest, manager) {
  const text = readFileSync(`packages/${name}/README.md`, 'utf8');
  const line = /^ *npm (?:i|install) (?!-g)(.*)$/m.exec(text)?.[1].split('#')[0];
  const block = readFirstBlock(text);
  if (line === undefined || block === undefined) {
    failed++;
    console.log(`FAILED ${manifest.name}: the README needs a line \`npm i ...\` and a block of JavaScript`);
    return;
  }
  if (skipsWithoutData(block)) {
    console.log(`skipped ${manifest.name}: no data (set VOXFACE_DATA)`);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'voxface-readme-'));
  try {
    const installed = install(folder, line.trim().split(/\s+/), manager);
    linkData(folder);
    writeFileSync(join(folder, 'try.mjs'), block);
    const ran = installed.status === 0 ? runIn(folder, process.execPath, 'try.mjs') : installed;
    const size = folderSize(join(folder, 'node_modules'));
    const passed = ran.status === 0 && size <= (LARGEST[name] ?? Number.POSITIVE_INFINITY);
    if (!passed) failed++;
    console.log(
      `${passed ? 'ok     ' : 'FAILED '} ${manifest.name} with ${manager}: ${size} MB in node_modules; installed in ${installed.took}${ran === installed ? '' : `, ran in ${ran.took}`}`,
    );
    if (ran.status !== 0) console.error(`${ran.stdout}\n${ran.stderr}`.replace(/^/gm, '    '));
    else if (!passed) console.error(`    at most ${LARGEST[name]} MB`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Installs the packages of a README's line, with its flags; ours, wherever they are wanted, from the tarballs. */
function install(folder, words, manager) {
  const names = words.filter((word) => !word.startsWith('--'));
  const flags = words.filter((word) => word.startsWith('--'));
  const dependencies = Object.fromEntries(names.map((name) => [name, addresses[name] ?? 'latest']));
  for (const name of names) {
    const pinned = catalogVersion(name);
    if (pinned !== undefined) dependencies[name] = pinned;
  }
  const manifest = { name: 'readme', private: true, type: 'module', dependencies };
  if (manager === 'npm') manifest.overrides = addresses;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest, null, 2));
  if (manager === 'npm') {
    return runIn(folder, 'npm', 'install', '--no-audit', '--no-fund', '--silent', ...flags);
  }
  const overrides = Object.entries(addresses).map(([name, address]) => `  '${name}': '${address}'`);
  // Nothing of ours needs a script to run at installation.
  const settings = ['packages: []', 'strictDepBuilds: false', 'overrides:', ...overrides, ''];
  writeFileSync(join(folder, 'pnpm-workspace.yaml'), settings.join('\n'));
  return runIn(folder, 'npx', '-y', 'pnpm@12', 'install', '--no-frozen-lockfile', '--silent');
}

/** The version that the workspace tests with, so that a new release of a dependency does not break the check. */
function catalogVersion(name) {
  const lines = readFileSync('pnpm-workspace.yaml', 'utf8').split('\n');
  const found = lines.find((line) => line.trim().replaceAll('"', '').startsWith(`${name}: `));
  return found?.split(': ')[1].trim();
}

/** Runs a command, and says how long it took. */
function runIn(folder, command, ...args) {
  const env = { ...process.env, CI: 'true', TIMEFORMAT: 'took %R %U %S' };
  const result = spawnSync('bash', ['-c', 'time "$@"', 'bash', command, ...args], {
    cwd: folder,
    encoding: 'utf8',
    env,
  });
  const [wall, user, system] = /took (\S+) (\S+) (\S+)\n$/.exec(result.stderr)?.slice(1).map(Number) ?? [];
  return { ...result, took: `${wall?.toFixed(1)} s (${(user + system).toFixed(1)} s of processor)` };
}

function folderSize(folder) {
  if (!existsSync(folder)) return 0;
  const { stdout } = spawnSync('du', ['-sm', resolve(folder)], { encoding: 'utf8' });
  return Number.parseInt(stdout, 10);
}
