import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { keepSettings } from '../src/node.ts';

const root = mkdtempSync(join(tmpdir(), 'voxface-settings-'));
afterAll(() => rmSync(root, { recursive: true }));

describe('keepSettings', () => {
  it('creates the folder, lets the same settings pass and refuses others', async () => {
    const folder = join(root, 'a', 'b');
    await keepSettings(folder, { size: 128, absent: undefined });
    await keepSettings(folder, { size: 128 });
    await expect(keepSettings(folder, { size: 96 })).rejects.toThrow(
      /b was begun with \{"size":128\}, got \{"size":96\}/,
    );
    expect(readFileSync(join(folder, 'settings.json'), 'utf8')).toBe('{"size":128}\n');
  });

  it('does not go on where the settings cannot be read', async () => {
    const folder = join(root, 'unreadable');
    mkdirSync(join(folder, 'settings.json'), { recursive: true });
    await expect(keepSettings(folder, {})).rejects.toThrow(/EISDIR/);
  });
});
