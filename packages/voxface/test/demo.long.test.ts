import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { run } from './run.ts';

const root = mkdtempSync(join(tmpdir(), 'voxface-demo-'));
afterAll(() => rmSync(root, { recursive: true }));
const samples = join(
  dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json')),
  'demo',
);

test('localize needs no more than photos and a folder: model, detector and runtime are found', async () => {
  const result = await run('localize', join(samples, 'sample1.jpg'), '--out', join(root, 'plain'));
  expect(result).toMatchObject({ code: 0, errors: '' });
  const { faces, model } = JSON.parse(readFileSync(join(root, 'plain/sample1.json'), 'utf8'));
  expect(model).toBe('small');
  expect(faces.length).toBeGreaterThan(0);
  expect(faces[0].landmarks).toHaveLength(68);
  expect(faces[0].confidence).toBeGreaterThan(0.5);
});

test('the demo finds the faces of its sample photos and draws them', async () => {
  const out = join(root, 'demo');
  const result = await run('demo', '--out', out);
  expect(result).toMatchObject({ code: 0 });
  expect(result.output).toMatch(/2\d faces in 6 photos/);
  expect(readdirSync(out).filter((name) => name.endsWith('.json'))).toHaveLength(6);
  expect(existsSync(join(out, 'semantic-volume.png')) && existsSync(join(out, 'summary.png'))).toBe(true);
});
