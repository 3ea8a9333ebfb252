import { writeFile } from 'node:fs/promises';
import { setupBackend } from '@voxface/backend';
import { runConformance, summarizeConformance } from '@voxface/backend/conformance';
import { chooseBackend } from './choose-backend.ts';

/** Runs the conformance suite on a backend of this machine; true when everything passed. */
export async function checkBackend(flags: {
  backend: string;
  only?: string;
  json?: string;
}): Promise<boolean> {
  await setupBackend('cpu');
  const { name } = await chooseBackend(flags.backend);
  const report = await runConformance({
    backend: name,
    only: flags.only,
    log: (line) => console.error(line),
  });
  console.log(summarizeConformance(report));
  if (flags.json) await writeFile(flags.json, `${JSON.stringify(report, null, 1)}\n`);
  return report.passed;
}
