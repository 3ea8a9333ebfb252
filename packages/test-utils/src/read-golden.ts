import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What every golden file says about itself. */
export interface Golden {
  /** The committed script that wrote it. */
  script: string;
  /** Versions of the libraries that computed it. */
  versions: Record<string, string>;
}

/**
 * Reads `golden/NAME.json` beside a test file.
 * @param testFile `import.meta.url` of the test.
 * @throws Error when the file does not name its script and versions.
 */
export function readGolden<T>(testFile: string, name: string): T & Golden {
  const golden = JSON.parse(readFileSync(fileURLToPath(new URL(`golden/${name}.json`, testFile)), 'utf8'));
  if (!golden.script || !golden.versions) {
    throw new Error(`readGolden: a golden file must name its script and versions, got ${name}.json without`);
  }
  return golden;
}
