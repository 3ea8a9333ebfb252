import { spawn } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { microConfig, readLosses } from './helpers/packed-faces.ts';

const RUN = fileURLToPath(new URL('../src/run.ts', import.meta.url));

/** Starts a run in a process of its own; resolves when it ends, or kills it as soon as `until` is printed. */
function startRun(
  file: string,
  flags: string[],
  until?: { text: string; signal: NodeJS.Signals },
): Promise<string> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--conditions=voxface-source', RUN, file, ...flags],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
    if (until && output.includes(until.text)) child.kill(until.signal);
  });
  return new Promise((resolve) => child.on('close', () => resolve(output)));
}

describe('a run in a process', () => {
  it('killed in the middle of a step and resumed ends with the losses of an uninterrupted one', async () => {
    const whole = await microConfig();
    const cut = { ...whole, output: `${whole.output}-cut` };
    const write = async (config: typeof whole) => {
      const file = `${config.output}.json`;
      await writeFile(file, JSON.stringify(config));
      return file;
    };
    await startRun(await write(whole), []);
    const killed = await startRun(await write(cut), [], { text: 'adversarial 5/6', signal: 'SIGKILL' });
    expect(killed).not.toContain('finished');
    const resumed = await startRun(`${cut.output}.json`, ['--resume']);
    expect(resumed).toContain('at step 4');
    expect(resumed).toContain('finished at step 6 of 6');
    expect(await readLosses(cut.output)).toEqual(await readLosses(whole.output));
  });

  it('saves and exits when it is interrupted', async () => {
    const config = await microConfig({ stages: [{ kind: 'pretrain', steps: 500 }], checkpointEvery: 500 });
    const file = `${config.output}.json`;
    await writeFile(file, JSON.stringify(config));
    const output = await startRun(file, [], { text: 'pretrain 2/500', signal: 'SIGINT' });
    expect(output).toMatch(/stopped at step \d+ of 500/);
    const saved = await readdir(join(config.output, 'checkpoints'));
    expect(saved.filter((name) => name.startsWith('step-'))).toHaveLength(1);
  });
});
