// Runs size-limit in every package that states a limit.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

let failed = false;
for (const name of readdirSync('packages')) {
  const manifest = JSON.parse(readFileSync(`packages/${name}/package.json`, 'utf8'));
  if (!manifest['size-limit']) continue;
  console.log(`sizes of ${manifest.name}`);
  const { status } = spawnSync('../../node_modules/.bin/size-limit', [], {
    cwd: `packages/${name}`,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  failed ||= status !== 0;
}
process.exit(failed ? 1 : 0);
