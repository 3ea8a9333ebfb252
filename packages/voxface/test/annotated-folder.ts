import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { MEAN_FACE_68 } from '@voxface/landmarks';
import sharp from 'sharp';
import { expect } from 'vitest';

/** Rows of a `.pts` file: the mean face in a picture of 96 x 96, 1-based, each row changed by `change`. */
export function ptsOf(change: (row: string, i: number) => string = (row) => row, count = 68): string {
  const { points } = MEAN_FACE_68;
  const rows = Array.from({ length: count }, (_, i) =>
    change(`${(49 + 24 * points[3 * i]).toFixed(3)} ${(49 + 24 * points[3 * i + 1]).toFixed(3)}`, i),
  );
  return `version: 1\nn_points: ${count}\n{\n${rows.join('\n')}\n}\n`;
}

/** A grey picture of 96 x 96. */
export async function picture(kind: 'jpeg' | 'png' = 'jpeg'): Promise<Buffer> {
  const blank = sharp({ create: { width: 96, height: 96, channels: 3, background: '#a86' } });
  return kind === 'jpeg' ? blank.jpeg().toBuffer() : blank.png().toBuffer();
}

/** Writes files into a new temporary folder. */
export function writeFiles(files: Record<string, string | Uint8Array>): string {
  const root = mkdtempSync(join(tmpdir(), 'voxface-cli-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return root;
}

/** Expects the exit code, every message on stderr, and no stack trace. */
export function expectFailure(
  result: { code: number; output: string; errors: string },
  code: number,
  ...messages: RegExp[]
): void {
  for (const message of messages) expect(result.errors).toMatch(message);
  expect(result.errors).not.toMatch(/\n\s+at /);
  expect(result.code).toBe(code);
}
