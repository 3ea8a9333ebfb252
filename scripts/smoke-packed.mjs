// Installs packed packages into bare folders with npm and uses them there in plain Node: landmarks and metrics score two
// faces, and nothing else came along; onnx, pretrained and onnxruntime-web find the faces of a photo without TensorFlow.js.
// Then examples, copied out of the repository, install and run there.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { packPackages } from './pack-packages.mjs';

const run = (cwd, command, ...args) => {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0)
    throw new Error(`smoke-packed: ${command} ${args[0]} ended with ${status}\n${stdout}${stderr}`);
  return stdout;
};

const score = `
import assert from 'node:assert/strict';
import { createLandmarks, IBUG_68, MEAN_FACE_68, transformLandmarks } from '@voxface/landmarks';
import { createAccumulator, findProtocol, formatReport, nme, boxSize } from '@voxface/metrics';
import { PUBLISHED } from '@voxface/metrics/published';

const target = transformLandmarks(MEAN_FACE_68, [200, 0, 0, 200, 0, 0]);
const near = transformLandmarks(target, [1, 0, 0, 1, 2, 0]);
const far = transformLandmarks(target, [1, 0, 0, 1, 8, 0]);
const errors = [near, far].map((preds) => nme(preds, target, { normalizer: boxSize }));
assert.ok(Math.abs(errors[1] / errors[0] - 4) < 1e-3, String(errors));
const accumulator = createAccumulator(findProtocol('aflw2000-3d/68/3d'));
accumulator.update({ id: 'near', preds: near, target, yaw: 10 });
accumulator.update({ id: 'far', preds: far, target, yaw: 50 });
const evaluation = accumulator.compute();
assert.equal(evaluation.count, 2);
console.log(JSON.stringify({ errors, mean: evaluation.nme.mean, tables: Object.keys(PUBLISHED).length }));
`;

const predict = `
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createOnnxDetector, createOnnxPredictor } from '@voxface/onnx/web';
import { pretrainedDetectorUrl, pretrainedOnnxUrl } from '@voxface/pretrained';

const { width, height } = JSON.parse(await readFile('photo.json', 'utf8'));
const photo = { data: await readFile('photo.raw'), width, height, channels: 3 };
const detector = await createOnnxDetector(await readFile(pretrainedDetectorUrl()), { threads: 1 });
const predictor = await createOnnxPredictor(await readFile(pretrainedOnnxUrl()), { threads: 1, refine: true });
const found = await detector.detect(photo);
assert.ok(found.length >= 2, 'faces found: ' + found.length);
for (const { box } of found) {
  const { landmarks } = await predictor.predict(photo, box);
  const at = (i) => [landmarks.points[3 * i], landmarks.points[3 * i + 1]];
  const [left, right, nose, chin] = [36, 45, 30, 8].map(at);
  assert.ok(right[0] - left[0] > 0.2 * box.width, 'the eyes are beside each other');
  assert.ok(left[1] < nose[1] && right[1] < nose[1] && nose[1] < chin[1], 'eyes, nose and chin in that order');
}
console.log(found.length + ' faces');
`;

/** Installs tarballs and packages into an empty folder and runs a script there. */
function runBare(tarballs, packages, script, files = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'voxface-smoke-'));
  try {
    writeFileSync(join(folder, 'package.json'), '{ "name": "smoke", "private": true, "type": "module" }\n');
    writeFileSync(join(folder, 'script.mjs'), script);
    for (const [name, data] of Object.entries(files)) writeFileSync(join(folder, name), data);
    run(folder, 'npm', 'install', '--no-audit', '--no-fund', '--silent', ...tarballs, ...packages);
    const scopes = readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'));
    const own = readdirSync(join(folder, 'node_modules', '@voxface')).sort();
    return { result: run(folder, process.execPath, 'script.mjs').trim(), scopes, own };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const { tarballs, remove } = packPackages([
  ...['landmarks', 'metrics', 'predict', 'onnx', 'pretrained', 'volume', 'plots'],
]);
const tarballsOf = (...names) => names.map((name) => tarballs.get(name));
try {
  const scored = runBare(tarballsOf('landmarks', 'metrics'), [], score);
  if (scored.scopes.join() !== '@voxface' || scored.own.join() !== 'landmarks,metrics') {
    throw new Error(
      `smoke-packed: only @voxface/landmarks and metrics may be installed, got ${scored.scopes}, ${scored.own}`,
    );
  }
  console.log(`ok     metrics from tarballs in a bare folder, no tensor library: ${scored.result}`);

  const photo = await readPhoto();
  const { version } = JSON.parse(
    readFileSync('packages/onnx/node_modules/onnxruntime-web/package.json', 'utf8'),
  );
  const all = tarballsOf('landmarks', 'predict', 'onnx', 'pretrained');
  const predicted = runBare(all, [`onnxruntime-web@${version}`], predict, photo);
  if (
    predicted.scopes.includes('@tensorflow') ||
    predicted.own.join() !== 'landmarks,onnx,predict,pretrained'
  ) {
    throw new Error(
      `smoke-packed: ONNX files must run without TensorFlow.js, got ${predicted.scopes}, ${predicted.own}`,
    );
  }
  console.log(
    `ok     onnx and pretrained from tarballs in a bare folder, no @tensorflow: ${predicted.result}`,
  );

  checkExampleVersions();
  const face = Array.from({ length: 68 }, (_, i) => [100 + 7 * (i % 9), 80 + 11 * (i / 9), i % 5]);
  const files = {
    'face.json': JSON.stringify({ faces: [{ landmarks: face }] }),
    'truth.json': JSON.stringify({ a: face.map(([x, y]) => [x, y]) }),
    'mine.json': JSON.stringify({ a: face.map(([x, y]) => [x + 1, y]) }),
  };
  runExample('look-at-a-volume', ['face.json', 'out.svg'], files, /stage 3: 64 x 64 x 64 x 3/);
  runExample('metrics-in-another-benchmark', ['truth.json', 'mine.json'], files, /NME/);
} finally {
  remove();
}

/** What an example needs it names by published versions, the ones that the workspace tests with. */
function checkExampleVersions() {
  const catalog = readFileSync('pnpm-workspace.yaml', 'utf8').split('\ncatalog:\n')[1].split('\n\n')[0];
  const versions = new Map(catalog.split('\n').map((line) => line.replaceAll('"', '').trim().split(': ')));
  for (const name of readdirSync('examples', { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  )) {
    const manifest = JSON.parse(readFileSync(`examples/${name.name}/package.json`, 'utf8'));
    for (const [wanted, version] of Object.entries({
      ...manifest.dependencies,
      ...manifest.devDependencies,
    })) {
      const expected = wanted.startsWith('@voxface/') || wanted === 'voxface' ? '*' : versions.get(wanted);
      if (version === expected) continue;
      throw new Error(
        `smoke-packed: examples/${name.name} must ask for ${wanted} ${expected}, got ${version}`,
      );
    }
  }
}

/** Copies an example into an empty folder, installs it with npm and runs it. */
function runExample(name, args, files, expected) {
  const folder = mkdtempSync(join(tmpdir(), 'voxface-example-'));
  try {
    const manifest = JSON.parse(readFileSync(`examples/${name}/package.json`, 'utf8'));
    manifest.overrides = Object.fromEntries(
      [...tarballs].map(([own, file]) => [`@voxface/${own}`, `file:${file}`]),
    );
    // npm: an override of something that is asked for must say the same.
    for (const own of Object.keys(manifest.dependencies)) {
      if (own in manifest.overrides) manifest.dependencies[own] = manifest.overrides[own];
    }
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
    copyFileSync(`examples/${name}/main.mjs`, join(folder, 'main.mjs'));
    for (const [file, data] of Object.entries(files)) writeFileSync(join(folder, file), data);
    run(folder, 'npm', 'install', '--no-audit', '--no-fund', '--silent');
    const printed = run(folder, process.execPath, 'main.mjs', ...args);
    if (!expected.test(printed)) throw new Error(`smoke-packed: examples/${name} printed ${printed}`);
    console.log(`ok     examples/${name} copied out, installed and run`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A photo that comes with face-api, as bytes. */
async function readPhoto() {
  const resolve = createRequire(join(process.cwd(), 'packages/models/package.json')).resolve;
  const sharp = (await import(resolve('sharp'))).default;
  const file = join(dirname(resolve('@vladmandic/face-api/package.json')), 'demo', 'sample3.jpg');
  if (!existsSync(file))
    throw new Error(`smoke-packed: face-api must come with its sample photos, got no ${file}`);
  const { data, info } = await sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { 'photo.raw': data, 'photo.json': JSON.stringify(info) };
}
