// Packs every public package and checks the tarball: publint, attw (ES modules only), and what it holds.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { packPackages } from './pack-packages.mjs';

const manifests = new Map(
  readdirSync('packages').map((name) => [
    name,
    JSON.parse(readFileSync(`packages/${name}/package.json`, 'utf8')),
  ]),
);
const names = [...manifests].filter(([, manifest]) => !manifest.private).map(([name]) => name);

// Files that the built code opens by address at run time, beside its own modules.
const REQUIRED = {
  backend: [
    'NOTICE',
    'LICENSE-APACHE',
    ...['.wasm', '-simd.wasm', '-threaded-simd.wasm', '-threaded-simd.js'].map(
      (ending) => `dist/tfjs-backend-wasm${ending}`,
    ),
  ],
  datasets: ['dist/crop-worker.js'],
  train: ['dist/replica-worker.js'],
  pretrained: ['NOTICE', 'dist/detector-ssd.onnx', 'dist/detector-tiny.onnx'],
  voxface: [
    ...['NOTICE', 'dist/bin.js', 'dist/photo-worker.js', 'dist/web/index.js', 'dist/web/index.d.ts'],
    ...['small-int8.onnx', 'detector-tiny.onnx', 'ort-wasm-simd-threaded.wasm'].map(
      (name) => `dist/web/${name}`,
    ),
  ],
};
const UNWANTED = /^(test|bench|node_modules|scripts)\/|\.test\.|\.tgz$/;

const readFrom = (tarball, file) =>
  spawnSync('tar', ['-xzOf', tarball, `package/${file}`], { encoding: 'utf8' }).stdout;

let failed = 0;
const report = (passed, name, check, details = '') => {
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${manifests.get(name).name} ${check}`);
  if (!passed) {
    console.error(details);
    failed++;
  }
};
const runCheck = (name, command, ...args) => {
  const { status, stdout, stderr } = spawnSync(`node_modules/.bin/${command}`, args, { encoding: 'utf8' });
  report(status === 0, name, command, stdout + stderr);
};

const { tarballs, remove } = packPackages(names);
for (const [name, tarball] of tarballs) {
  runCheck(name, 'publint', '--strict', tarball);
  runCheck(name, 'attw', '--profile', 'esm-only', tarball);
  const files = spawnSync('tar', ['-tzf', tarball], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace('package/', ''));
  const required = ['LICENSE', 'README.md', 'package.json', 'dist/index.js', ...(REQUIRED[name] ?? [])];
  if (name === 'pretrained') {
    for (const model of readdirSync('packages/pretrained/models')) {
      required.push(
        `models/${model}/voxface.json`,
        `models/${model}/README.md`,
        `dist/${model}.onnx`,
        `dist/${model}-int8.onnx`,
      );
    }
  }
  // Compiled files and weights of others come with their licence: NOTICE names each, and the manifest says more than MIT where it must.
  const foreign = files.filter((file) =>
    /\.wasm$|detector-.*\.onnx$|^dist\/tfjs-backend-wasm.*\.js$/.test(file),
  );
  const notice = foreign.length === 0 ? '' : readFrom(tarball, 'NOTICE');
  const { license, dependencies = {}, scripts = {} } = JSON.parse(readFrom(tarball, 'package.json'));
  const licences = [
    ...foreign.filter((file) => !notice.includes(file)).map((file) => `NOTICE does not name ${file}`),
    ...(/Apache/.test(notice) && !/Apache-2.0|SEE LICENSE/.test(license)
      ? [`NOTICE names Apache, license is ${license}`]
      : []),
    ...(name === 'pretrained' && license === 'MIT'
      ? ['the weights are for research only, license is MIT']
      : []),
  ];
  report(licences.length === 0, name, 'licences', licences.join('\n'));
  // Installing needs the registry alone: no script of ours, and onnxruntime-node, whose script fetches from elsewhere, at most as an optional peer.
  const hosts = [
    ...['preinstall', 'install', 'postinstall']
      .filter((script) => script in scripts)
      .map((script) => `runs ${script}`),
    ...('onnxruntime-node' in dependencies ? ['onnxruntime-node is a dependency'] : []),
  ];
  report(hosts.length === 0, name, 'install', hosts.join('\n'));
  const problems = [
    ...required.filter((file) => !files.includes(file)).map((file) => `missing ${file}`),
    ...files.filter((file) => UNWANTED.test(file)).map((file) => `unwanted ${file}`),
  ];
  report(problems.length === 0, name, 'files', problems.join('\n'));
}
remove();
process.exit(failed ? 1 : 0);
