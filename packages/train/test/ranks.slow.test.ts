import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expectClose } from '@voxface/test-utils';
import { describe, expect, it } from 'vitest';
import { decodeCheckpoint } from '../src/checkpoint.ts';
import type { TrainingConfigInput } from '../src/config.ts';
import type { NetworkName } from '../src/networks.ts';
import { microConfig, readLosses } from './helpers/packed-faces.ts';
import { findRank, hasProgram, mpirun, startProcess, trainCommand } from './helpers/start-run.ts';

async function write(config: TrainingConfigInput): Promise<string> {
  const file = `${config.output}.json`;
  await writeFile(file, JSON.stringify(config));
  return file;
}

async function stateAt(output: string, step: number) {
  const file = join(output, 'checkpoints', `step-${String(step).padStart(8, '0')}.ckpt`);
  return decodeCheckpoint(await readFile(file), file).state;
}

/** Does something to a rank of a run once the text is printed. */
function onceSaid(text: string, rank: number, file: string, signal: NodeJS.Signals) {
  let done = false;
  return (output: string): void => {
    if (done || !output.includes(text)) return;
    done = true;
    for (const pid of findRank(rank, file)) process.kill(pid, signal);
  };
}

describe.skipIf(!hasProgram('mpirun'))('training over MPI (needs mpirun, such as of openmpi-bin)', () => {
  it('two ranks give what one process gives that accumulates the same parts', async () => {
    const alone = await microConfig({ accumulate: 2, average: { decay: 0.9, every: 2 } });
    const ranks = { ...alone, accumulate: 1, output: `${alone.output}-ranks` };
    await startProcess(trainCommand(await write(alone)));
    const command = trainCommand(await write(ranks));
    const { output, code } = await startProcess(mpirun(command, command));
    expect(output).toMatch(/shared by 2 ranks over libmpi/);
    expect(code).toBe(0);
    // Halves and sums of two are exact: bit for bit on the cpu backend.
    expect(await readLosses(ranks.output)).toEqual(await readLosses(alone.output));
    const [a, b] = [await stateAt(alone.output, 6), await stateAt(ranks.output, 6)];
    for (const name of ['estimator', 'regressor', 'discriminator'] as NetworkName[]) {
      expect(b.networks[name]!.parameters).toEqual(a.networks[name]!.parameters);
      expect(b.networks[name]!.adam).toEqual(a.networks[name]!.adam);
      // Averaged where they are asked for, not after every step: to rounding.
      expectClose(b.networks[name]!.statistics, a.networks[name]!.statistics, {
        absolute: 1e-6,
        relative: 1e-5,
      });
    }
    expect({ ...b, networks: {} }).toEqual({ ...a, networks: {} });
  });

  it('a killed rank ends the job with a reason, and one process goes on from the last checkpoint', async () => {
    const config = await microConfig({ checkpointEvery: 1, stages: [{ kind: 'pretrain', steps: 30 }] });
    const file = await write(config);
    const command = trainCommand(file);
    const killed = await startProcess(
      mpirun(command, command),
      onceSaid('pretrain 5/30', 1, file, 'SIGKILL'),
    );
    expect(killed.code).not.toBe(0);
    expect(killed.output).toMatch(/rank 1 .* exited on signal 9/s);
    expect(killed.output).not.toContain('finished');
    const resumed = await startProcess(trainCommand(file, '--resume', config.output));
    expect(resumed.output).toMatch(/resumed from .* at step \d+/);
    expect(resumed.output).toContain('finished at step 30 of 30');
  });

  it('a rank that fails ends all of them, with its reason', async () => {
    const config = await microConfig({ stages: [{ kind: 'pretrain', steps: 30 }] });
    const other = {
      ...config,
      data: { ...config.data, train3d: [{ format: 'packed' as const, root: '/nowhere' }] },
    };
    const otherFile = `${config.output}-other.json`;
    await writeFile(otherFile, JSON.stringify(other));
    const job = mpirun(trainCommand(await write(config)), trainCommand(otherFile));
    const { output, code } = await startProcess(job);
    expect(code).not.toBe(0);
    expect(output).toMatch(/rank 1 of 2 failed and ends the job: openPackedSet: .*nowhere/);
  });

  it('a signal to one rank stops all after the same step, with a checkpoint', async () => {
    const config = await microConfig({ checkpointEvery: 500, stages: [{ kind: 'pretrain', steps: 500 }] });
    const file = await write(config);
    const command = trainCommand(file);
    const stopped = await startProcess(
      mpirun(command, command),
      onceSaid('pretrain 3/500', 1, file, 'SIGUSR2'),
    );
    expect(stopped.code).toBe(0);
    const step = Number(/stopped at step (\d+) of 500/.exec(stopped.output)?.[1]);
    expect((await stateAt(config.output, step)).step).toBe(step);
    const resumed = await startProcess(
      mpirun(...Array.from({ length: 4 }, () => trainCommand(file, '--resume', config.output))),
      onceSaid(`pretrain ${step + 2}/500`, 0, file, 'SIGUSR2'),
    );
    expect(resumed.output).toMatch(new RegExp(`resumed from .* at step ${step}`));
    expect(resumed.output).toMatch(/shared by 4 ranks[\s\S]*stopped at step/);
  });
});
