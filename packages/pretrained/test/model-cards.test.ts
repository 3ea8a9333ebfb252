import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { listPretrained } from '../src/index.ts';

describe.each(listPretrained().map(({ name }) => name))('the card of %s', (name) => {
  const text = readFileSync(new URL(`../models/${name}/README.md`, import.meta.url), 'utf8');
  const [, matter = '', body = ''] = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(text) ?? [];

  it("begins with the Hugging Face hub's front matter: licence, library, task, name", () => {
    for (const line of [
      'license: other',
      'license_name: research-only',
      'license_link: LICENSE',
      'library_name: voxface',
      'pipeline_tag: keypoint-detection',
      `  - name: ${name}`,
    ])
      expect(matter.split('\n')).toContain(line);
  });

  it('gives in its front matter the figures of its table', () => {
    const values = [...matter.matchAll(/value: ([\d.]+)/g)].map(([, value]) => value);
    expect(values.length).toBeGreaterThan(2);
    for (const value of values) expect(body).toMatch(new RegExp(`\\| (\\*\\*)?${value.replace('.', '\\.')}`));
  });
});

describe.each(listPretrained().map(({ name }) => name))('the confidence of %s', (name) => {
  const file = new URL(`../models/${name}/voxface.json`, import.meta.url);
  const { confidence } = JSON.parse(readFileSync(file, 'utf8')) as {
    confidence: Record<'accurate' | 'visible', { weights: number[] }[]>;
  };

  it.each(['accurate', 'visible'] as const)('was fitted for each of the 68 landmarks: %s', (kind) => {
    expect(confidence[kind].length).toBe(68);
    const unfitted = confidence[kind].flatMap(({ weights }, i) => (weights.every((w) => w === 0) ? [i] : []));
    expect(unfitted).toEqual([]);
  });
});
