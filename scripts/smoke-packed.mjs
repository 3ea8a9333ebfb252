// Installs the packed landmarks and metrics into a bare folder with npm, scores two faces there in plain Node,
// and makes sure that nothing else, a tensor library least of all, came along.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packPackages } from './pack-packages.mjs';

const run = (cwd, command, ...args) => {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0)
    throw new Error(`smoke-packed: ${command} ${args[0]} ended with ${status}\n${stdout}${stderr}`);
  return stdout;
};

const script = `
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

const { directory, tarballs } = packPackages(['landmarks', 'metrics']);
const folder = mkdtempSync(join(tmpdir(), 'voxface-smoke-'));
try {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "name": "smoke", "private": true, "type": "module" }\n');
  writeFileSync(join(folder, 'score.mjs'), script);
  run(folder, 'npm', 'install', '--no-audit', '--no-fund', '--silent', ...tarballs.values());
  const result = run(folder, process.execPath, 'score.mjs').trim();
  const scopes = readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'));
  const packages = readdirSync(join(folder, 'node_modules', '@voxface')).sort();
  if (scopes.join() !== '@voxface' || packages.join() !== 'landmarks,metrics') {
    throw new Error(
      `smoke-packed: only @voxface/landmarks and metrics may be installed, got ${scopes}, ${packages}`,
    );
  }
  console.log(`ok     metrics from tarballs in a bare folder, no tensor library: ${result}`);
} finally {
  rmSync(folder, { recursive: true });
  rmSync(directory, { recursive: true });
}
