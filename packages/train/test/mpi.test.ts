import { describe, expect, it } from 'vitest';
import { joinRanks } from '../src/node/mpi.ts';

describe('joinRanks', () => {
  it('leaves a process alone that no launcher has started with others', async () => {
    for (const environment of [
      {},
      { OMPI_COMM_WORLD_SIZE: '1' },
      { SLURM_NTASKS: '4', SLURM_PROCID: '0', SLURM_STEP_NUM_TASKS: '4' },
      { PMIX_RANK: '0', SLURM_STEP_NUM_TASKS: '1' },
    ]) {
      expect(await joinRanks(environment)).toBeUndefined();
    }
  });

  it.each([{ OMPI_COMM_WORLD_SIZE: '2' }, { PMI_SIZE: '2' }, { PMIX_RANK: '1', SLURM_STEP_NUM_TASKS: '2' }])(
    'says what is missing where no library can be loaded: %o',
    async (environment) => {
      await expect(joinRanks({ ...environment, VOXFACE_MPI_LIBRARY: '/nowhere/libmpi.so' })).rejects.toThrow(
        /expected an MPI library for 2 ranks, got none \(install one, such as Debian's openmpi-bin, .*VOXFACE_MPI_LIBRARY\): .*nowhere/,
      );
    },
  );
});
