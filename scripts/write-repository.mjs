// Writes `repository`, `homepage` and `bugs` into every package. The publish workflow runs it with the address that it
// builds from, which npm compares with the provenance statement. Usage: node scripts/write-repository.mjs ADDRESS
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const [address] = process.argv.slice(2);
if (!/^https:\/\/[^/]+\/[^/]+\/[^/]+$/.test(address ?? '')) {
  console.error(`write-repository: expected https://HOST/OWNER/NAME, got ${address ?? 'nothing'}`);
  process.exit(2);
}
for (const name of readdirSync('packages')) {
  const file = `packages/${name}/package.json`;
  const { license, ...manifest } = JSON.parse(readFileSync(file, 'utf8'));
  const { name: id, version, private: isPrivate, description, ...rest } = manifest;
  if (isPrivate) continue;
  const origin = {
    repository: { type: 'git', url: `git+${address}.git`, directory: `packages/${name}` },
    homepage: `${address}/tree/main/packages/${name}#readme`,
    bugs: `${address}/issues`,
  };
  const written = { name: id, version, description, license, ...rest, ...origin };
  writeFileSync(file, `${JSON.stringify(written, null, 2)}\n`);
}
