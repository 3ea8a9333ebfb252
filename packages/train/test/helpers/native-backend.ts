import { existsSync } from 'node:fs';
import { setupBackend } from '@voxface/backend';
import { defaultCacheDirectory } from '@voxface/backend/setup-node';

/** Makes the native backend current; returns what is lacking where it cannot be, after saying so. */
export async function findNativeBackend(): Promise<string | undefined> {
  const folder = defaultCacheDirectory();
  const lacking = existsSync(folder)
    ? await setupBackend('node').then(
        () => undefined,
        (error: Error) => error.message,
      )
    : `nothing in ${folder} (voxface setup-node builds it)`;
  if (lacking !== undefined) console.log(`native backend SKIPPED: ${lacking}`);
  return lacking;
}
