// What can be said of the packages as they would be published. They are packed once for all checks.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { packPackages } from './pack-packages.mjs';

const CHECKS = ['check-packaging', 'smoke-packed', 'check-packed-readmes', 'check-bundlers'];

const names = readdirSync('packages').filter(
  (name) => !JSON.parse(readFileSync(`packages/${name}/package.json`, 'utf8')).private,
);
const { tarballs, remove } = packPackages(names);
const env = { ...process.env, VOXFACE_TARBALLS: dirname(tarballs.get(names[0])) };
const failed = CHECKS.filter(
  (check) => spawnSync(process.execPath, [`scripts/${check}.mjs`], { stdio: 'inherit', env }).status !== 0,
);
remove();
if (failed.length > 0) console.error(`FAILED: ${failed.join(', ')}`);
process.exit(failed.length > 0 ? 1 : 0);
