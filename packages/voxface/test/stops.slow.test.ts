import { type ChildProcess as Child, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { microConfig } from '../../train/test/helpers/packed-faces.ts';
import { createFixtures } from './photos.ts';

// The command in a process of its own, ended from outside.

const bin = fileURLToPath(new URL('../src/bin.ts', import.meta.url));
const root = fileURLToPath(new URL('../../..', import.meta.url));
const NODE = ['--conditions=voxface-source', '--import', 'tsx', bin];

interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs the command and does something when its output holds a text. */
function runUntil(args: string[], text: string, act: (child: Child) => void): Promise<Ended> {
  const child: Child = spawn(process.execPath, [...NODE, ...args], { cwd: root });
  let [output, errors, done] = ['', '', false];
  child.stdout!.setEncoding('utf8').on('data', (part) => {
    output += part;
    if (!done && output.includes(text)) {
      done = true;
      act(child);
    }
  });
  child.stderr!.setEncoding('utf8').on('data', (part) => {
    errors += part;
  });
  return new Promise((resolve) => child.on('exit', (code) => resolve({ code, output, errors })));
}

const closePipe = (child: Child): void => {
  child.stdout!.destroy();
};
const isQuiet = ({ errors }: Ended): boolean => !/EPIPE|^ {4}at |Napi|node:internal/m.test(errors);

let fixtures: Awaited<ReturnType<typeof createFixtures>>;
beforeAll(async () => {
  fixtures = await createFixtures();
  mkdirSync(fixtures.at('many'));
  for (let i = 100; i < 220; i++) copyFileSync(fixtures.at('good.jpg'), fixtures.at(`many/${i}.jpg`));
});
afterAll(() => rmSync(fixtures.root, { recursive: true }));

describe('a reader that goes', () => {
  it('ends the help quietly', async () => {
    const ended = await runUntil(['localize', '--help'], 'Usage', closePipe);
    expect(isQuiet(ended)).toBe(true);
    expect([0, 141]).toContain(ended.code);
  });

  it.each(['1', '2'])('ends localize on %s threads quietly, with whole files', async (threads) => {
    const out = fixtures.at(`head-${threads}`);
    const flags = ['--model', fixtures.model, '--out', out, '--box', '12,8,30,28', '--threads', threads];
    const ended = await runUntil(['localize', fixtures.at('many'), ...flags], ': 1 face', closePipe);
    expect(isQuiet(ended), ended.errors).toBe(true);
    expect(ended.code).toBe(141);
    const names = readdirSync(out);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(JSON.parse(readFileSync(join(out, name), 'utf8')).faces).toHaveLength(1);
  });

  it.each([
    ['a closed pipe', 141, closePipe],
    ['SIGHUP', 129, (child: Child) => void child.kill('SIGHUP')],
    ['SIGTERM', 143, (child: Child) => void child.kill('SIGTERM')],
    ['SIGINT', 130, (child: Child) => void child.kill('SIGINT')],
  ] as [string, number, (child: Child) => void][])('training saves first: %s', async (_, code, act) => {
    const config = await microConfig({
      stages: [{ kind: 'pretrain', steps: 500 }],
      checkpointEvery: 500,
      evaluateEvery: 500,
    });
    const file = `${config.output}.json`;
    writeFileSync(file, JSON.stringify(config));
    const ended = await runUntil(['train', file, '--backend', 'cpu'], 'pretrain 3/500', act);
    expect(isQuiet(ended), ended.errors).toBe(true);
    expect(ended.code).toBe(code);
    const saved = readdirSync(join(config.output, 'checkpoints')).filter((name) =>
      /^step-\d+\.ckpt$/.test(name),
    );
    expect(saved).toHaveLength(1);
  });
});

describe('a signal', () => {
  it('ends localize after the photos under way; --resume does the rest', async () => {
    const out = fixtures.at('stopped');
    const args = [
      'localize',
      fixtures.at('many'),
      '--model',
      fixtures.model,
      '--out',
      out,
      '--box',
      '12,8,30,28',
    ];
    const ended = await runUntil([...args, '--threads', '2'], ': 1 face', (child) => child.kill('SIGTERM'));
    expect(ended.code).toBe(143);
    expect(ended.errors).toContain('stopping after the photos under way');
    const done = readdirSync(out).length;
    expect(done).toBeLessThan(120);
    const rest = await runUntil([...args, '--resume'], 'never', () => {});
    expect(rest.code).toBe(0);
    expect(rest.output).toContain(`${done} photos are done already`);
    expect(readdirSync(out)).toHaveLength(120);
  });
});
