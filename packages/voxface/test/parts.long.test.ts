import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { openDataset } from '@voxface/datasets/node';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createFixtures } from './photos.ts';
import { run } from './run.ts';

let fixtures: Awaited<ReturnType<typeof createFixtures>>;
const at = (name: string): string => fixtures.at(name);
const text = (name: string): string => readFileSync(at(name), 'utf8');
const parts = [1, 2, 3];

beforeAll(async () => {
  fixtures = await createFixtures();
  mkdirSync(at('folder'));
  for (let i = 10; i < 20; i++) copyFileSync(at('good.jpg'), at(`folder/${i}.jpg`));
  writeFileSync(at('folder/14.jpg'), 'this is no picture\n');
});
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rmSync(fixtures.root, { recursive: true }));

const localize = (out: string, ...flags: string[]) =>
  run(
    'localize',
    at('folder'),
    '--out',
    at(out),
    '--model',
    fixtures.model,
    '--box',
    '12,8,30,28',
    '--threads',
    '1',
    ...flags,
  );

describe('localize in parts', () => {
  test('the merged parts are the file that one run writes, the broken photo in its place', async () => {
    expect(await localize('whole.jsonl')).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/14\.jpg/),
    });
    for (const i of parts)
      expect(await localize('found.jsonl', '--shard', `${i}/3`)).toMatchObject({ code: 0 });
    expect(existsSync(at('found.jsonl'))).toBe(false);
    const merged = await run('merge', at('found.jsonl'));
    expect(merged).toMatchObject({
      code: 1,
      output: expect.stringMatching(/10 photos of 3 parts, 1 failed/),
    });
    expect(text('found.jsonl')).toBe(text('whole.jsonl'));
    const lines = text('found.jsonl')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ image }) => image.path.slice(-6))).toEqual(
      Array.from({ length: 10 }, (_, i) => `${i + 10}.jpg`),
    );
    expect(lines[4].error).toMatch(/expected a whole JPEG/);
    expect(lines[5].faces[0].landmarks).toHaveLength(68);
    expect(readdirSync(fixtures.root).filter((name) => /whole\.part|lock|unfinished/.test(name))).toEqual([]);
  });

  test('a killed attempt is continued behind its last whole line; a complete part is left alone', async () => {
    await localize('cut.jsonl', '--shard', '2/3');
    const complete = text('cut.part-2-of-3.jsonl');
    const lines = complete.split('\n');
    rmSync(at('cut.part-2-of-3.jsonl'));
    writeFileSync(
      at('cut.part-2-of-3.jsonl.unfinished'),
      `${lines.slice(0, 2).join('\n')}\n${lines[2].slice(0, 40)}`,
    );
    const marked = lines[1].replace('"score"', '"kept":1,"score"');
    writeFileSync(at('cut.part-2-of-3.jsonl.unfinished'), `${lines[0]}\n${marked}\n${lines[2].slice(0, 40)}`);
    expect(await localize('cut.jsonl', '--shard', '2/3')).toMatchObject({ code: 0 });
    expect(text('cut.part-2-of-3.jsonl')).toBe([lines[0], marked, ...lines.slice(2)].join('\n'));
    expect(await localize('cut.jsonl', '--shard', '2/3')).toMatchObject({
      code: 0,
      output: expect.stringMatching(/complete already/),
    });
  });

  test('parts of other settings or other photos, missing and unfinished ones, are refused by name', async () => {
    await localize('bad.jsonl', '--shard', '1/3');
    expect(await localize('bad.jsonl', '--shard', '1/3', '--flip')).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/bad\.part-1-of-3\.jsonl was begun with flip absent, got true/),
    });
    writeFileSync(at('bad.part-2-of-3.jsonl.unfinished'), '');
    expect(await run('merge', at('bad.jsonl'))).toMatchObject({
      code: 1,
      errors: expect.stringMatching(
        /expected 3 complete parts .* got 1; missing: 2, 3 \(1 of them unfinished\)/,
      ),
    });
    const [head, ...rest] = text('bad.part-1-of-3.jsonl').split('\n');
    const other = { ...JSON.parse(head), count: 11 };
    writeFileSync(at('bad.part-2-of-3.jsonl'), `${JSON.stringify(other)}\n`);
    writeFileSync(at('bad.part-3-of-3.jsonl'), [head, ...rest].join('\n'));
    expect(await run('merge', at('bad.jsonl'))).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/bad\.part-2-of-3\.jsonl was begun with count 11, got 10/),
    });
    writeFileSync(at('bad.part-2-of-3.jsonl'), [head, ...rest].join('\n'));
    expect(await run('merge', at('bad.jsonl'))).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/expected item 1 of 10 next, got item 0 in .*part-2-of-3/),
    });
    expect(existsSync(at('bad.jsonl'))).toBe(false);
    writeFileSync(at('bad.part-2-of-4.jsonl'), head);
    expect(await run('merge', at('bad.jsonl'))).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/expected the parts of one job/),
    });
    expect(await run('merge', at('nothing.jsonl'))).toMatchObject({ code: 2 });
  });

  test('the parts of a folder follow the environment, and an index without a count is refused', async () => {
    vi.stubEnv('JOB_COMPLETION_INDEX', '1');
    expect(await localize('results')).toMatchObject({
      code: 2,
      errors: expect.stringMatching(/Kubernetes says the index alone: set JOB_COMPLETIONS/),
    });
    vi.stubEnv('JOB_COMPLETIONS', '5');
    expect(await localize('results')).toMatchObject({ code: 0 });
    expect(readdirSync(at('results')).sort()).toEqual(['11.json', '16.json']);
    rmSync(at('results/11.json'));
    expect(await localize('results')).toMatchObject({
      code: 0,
      output: expect.stringMatching(/1 photos are done already/),
    });
  });
});

const set = (): string[] => ['--dataset', '300w', '--root', at('annotated')];

describe('evaluate in parts', () => {
  test('merges to the file of one run, to the last digit', async () => {
    const flags = [...set(), '--mean-shape'];
    await run('evaluate', ...flags, '--json', at('all.json'));
    for (const i of parts) {
      const part = await run('evaluate', ...flags, '--json', at('errors.json'), '--shard', `${i}/3`);
      expect(part).toMatchObject({ code: 0 });
    }
    const report = ['--report', at('report')];
    expect(await run('merge', at('errors.json'), ...report)).toMatchObject({
      code: 0,
      output: expect.stringMatching(/300w\/box\/68: 3 faces/),
    });
    expect(text('errors.json')).toBe(text('all.json'));
    expect(text('report/report.md')).toMatch(/Worst faces/);
  });

  test('needs a file for its part', async () => {
    expect(await run('evaluate', ...set(), '--mean-shape', '--shard', '1/2')).toMatchObject({
      code: 2,
      errors: expect.stringMatching(/--shard: expected --json FILE/),
    });
  });
});

describe('data in parts', () => {
  test('inspect merges to the report of one run', async () => {
    await run('data', 'inspect', at('annotated'), '--json', at('inspected.json'));
    for (const i of parts) {
      await run('data', 'inspect', at('annotated'), '--json', at('reports.json'), '--shard', `${i}/3`);
    }
    expect(await run('merge', at('reports.json'))).toMatchObject({ code: 0 });
    expect(text('reports.json')).toBe(text('inspected.json'));
  });

  test('convert writes subfolders that are joined without a copy', async () => {
    const out = at('packed');
    for (const i of [1, 3]) await run('data', 'convert', at('annotated'), out, '--shard', `${i}/3`);
    expect(await run('merge', out)).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/missing: shard-1-of-3/),
    });
    expect(await run('data', 'inspect', out)).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/expected 3 parts, got 2/),
    });
    expect(
      await run('data', 'convert', at('annotated'), out, '--shard', '1/3', '--size', '32'),
    ).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/shard-0-of-3 was begun with/),
    });
    for (const i of [1, 2]) await run('data', 'convert', at('annotated'), out, '--shard', `${i}/3`);
    expect(await run('merge', out)).toMatchObject({ code: 0, output: expect.stringMatching(/3 samples/) });
    expect(readdirSync(out).sort()).toEqual(['set.json', 'shard-0-of-3', 'shard-1-of-3', 'shard-2-of-3']);
    const joined = await openDataset(out);
    const alone = await openDataset(at('annotated'));
    expect(joined.ids).toEqual(alone.ids);
    for (let i = 0; i < 3; i++) {
      expect((await joined.load(i)).image).toEqual((await alone.load(i)).image);
    }
  });
});
