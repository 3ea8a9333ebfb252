import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { microConfig, readLosses } from './helpers/packed-faces.ts';
import { startProcess, trainCommand } from './helpers/start-run.ts';

describe('a run in a process', () => {
  it('killed in the middle of a step and resumed ends with the losses of an uninterrupted one', async () => {
    const whole = await microConfig();
    const cut = { ...whole, output: `${whole.output}-cut` };
    const write = async (config: typeof whole) => {
      const file = `${config.output}.json`;
      await writeFile(file, JSON.stringify(config));
      return file;
    };
    await startProcess(trainCommand(await write(whole)));
    const killed = await startProcess(trainCommand(await write(cut)), (output, kill) => {
      if (output.includes('adversarial 5/6')) kill('SIGKILL');
    });
    expect(killed.output).not.toContain('finished');
    const resumed = await startProcess(trainCommand(`${cut.output}.json`, '--resume', cut.output));
    expect(resumed.output).toContain('at step 4');
    expect(resumed.output).toContain('finished at step 6 of 6');
    expect(await readLosses(cut.output)).toEqual(await readLosses(whole.output));
  });

  it('saves and exits when it is interrupted', async () => {
    const config = await microConfig({ stages: [{ kind: 'pretrain', steps: 500 }], checkpointEvery: 500 });
    const file = `${config.output}.json`;
    await writeFile(file, JSON.stringify(config));
    let told = false;
    const { output } = await startProcess(trainCommand(file), (text, kill) => {
      if (told || !text.includes('pretrain 2/500')) return;
      told = true;
      kill('SIGINT');
    });
    expect(output).toMatch(/stopped at step \d+ of 500/);
    const saved = await readdir(join(config.output, 'checkpoints'));
    expect(saved.filter((name) => name.startsWith('step-'))).toHaveLength(1);
  });
});
