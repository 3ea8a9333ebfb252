import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setImmediate, setTimeout } from 'node:timers/promises';
import type { LibraryHandle } from 'koffi';
import type { RankGroup } from '../engine.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** File names of MPI libraries, tried in order: Open MPI 4 and 5, then those of MPICH's ABI (Intel MPI, MVAPICH). */
const LIBRARIES = [
  'libmpi.so.40',
  'libmpi.so.12',
  'libmpich.so.12',
  'libmpi.so',
  'libmpi.40.dylib',
  'libmpi.dylib',
];
/** Values of one call; MPI counts with 32 bits. */
const CHUNK = 2 ** 28;
/** MPI_THREAD_FUNNELED: only this thread of several calls MPI. */
const FUNNELED = 1;

/**
 * Joins the processes that `mpirun` or `srun --mpi` has started with this one.
 * @param environment such as `process.env`; VOXFACE_MPI_LIBRARY names a library that is not found by itself.
 * @returns undefined when this process is alone.
 * @throws Error when there are several ranks and no MPI library that can be loaded.
 */
export async function joinRanks(environment: Environment): Promise<RankGroup | undefined> {
  const size = countRanks(environment);
  if (size < 2) return undefined;
  // The decoding threads of a rank need the core on which it waits. Set before the library reads it.
  process.env.OMPI_MCA_mpi_yield_when_idle ??= '1';
  const { name, library } = await loadLibrary(environment, size);
  const mpi = bindLibrary(library);
  mpi.call('MPI_Init_thread', null, null, FUNNELED, [0]);
  const numberOf = (call: string): number => {
    const value = [0];
    mpi.call(call, mpi.world, value);
    return value[0];
  };
  const [rank, joined] = [numberOf('MPI_Comm_rank'), numberOf('MPI_Comm_size')];
  if (joined !== size) {
    throw new Error(
      `joinRanks: ${name} joined ${joined} processes, the launcher has started ${size} (start with the mpirun of that library, or name the launcher's own by VOXFACE_MPI_LIBRARY)`,
    );
  }
  return {
    rank,
    size,
    library: `${name} (${mpi.version()})`,
    async sum(values) {
      await arrive(mpi);
      const type = values instanceof Float64Array ? mpi.double : mpi.float;
      for (let at = 0; at < values.length; at += CHUNK) {
        const part = values.subarray(at, at + CHUNK);
        mpi.call('MPI_Allreduce', mpi.inPlace, part, part.length, type, mpi.sum, mpi.world);
      }
    },
    async broadcast(bytes) {
      await arrive(mpi);
      const length = Float64Array.of(bytes?.length ?? 0);
      mpi.call('MPI_Bcast', length, 1, mpi.double, 0, mpi.world);
      const whole = bytes ?? new Uint8Array(length[0]);
      for (let at = 0; at < whole.length; at += CHUNK) {
        const part = whole.subarray(at, at + CHUNK);
        mpi.call('MPI_Bcast', part, part.length, mpi.byte, 0, mpi.world);
      }
      return whole;
    },
    abort(error) {
      // The launcher ends this process within the call: nothing may wait in a stream.
      writeSync(2, `voxface: rank ${rank} of ${size} failed and ends the job: ${error.message}\n`);
      mpi.call('MPI_Abort', mpi.world, 1);
    },
    close() {
      mpi.call('MPI_Finalize');
    },
  };
}

/**
 * Waits until all ranks are here, asleep: MPI's own calls wait at full speed, on the core that a slower rank, or the threads
 * that decode pictures, could use; and nothing else of this thread would run.
 */
async function arrive(mpi: Mpi): Promise<void> {
  const [request, status, flag] = [Buffer.alloc(8), Buffer.alloc(64), [0]];
  mpi.call('MPI_Ibarrier', mpi.world, request);
  for (const since = performance.now(); ; ) {
    mpi.call('MPI_Test', request, flag, status);
    if (flag[0] !== 0) return;
    await (performance.now() - since < 1 ? setImmediate() : setTimeout(1));
  }
}

/** Ranks that a launcher says it has started; 1 without one. */
function countRanks(environment: Environment): number {
  const { OMPI_COMM_WORLD_SIZE, PMI_SIZE, PMIX_RANK, SLURM_STEP_NUM_TASKS } = environment;
  const srun = PMIX_RANK === undefined ? undefined : SLURM_STEP_NUM_TASKS;
  return Number(OMPI_COMM_WORLD_SIZE ?? PMI_SIZE ?? srun ?? 1);
}

async function loadLibrary(
  { VOXFACE_MPI_LIBRARY: named }: Environment,
  size: number,
): Promise<{ name: string; library: LibraryHandle }> {
  let koffi: typeof import('koffi');
  try {
    koffi = createRequire(import.meta.url)('koffi');
  } catch (error) {
    throw new Error(
      `joinRanks: training with ${size} ranks calls MPI through the npm package koffi, which is not installed (npm install koffi): ${(error as Error).message}`,
    );
  }
  const reasons: string[] = [];
  for (const name of named ? [named] : LIBRARIES) {
    try {
      // Open MPI's plug-ins look for its symbols among the global ones.
      return { name, library: koffi.load(name, { global: true }) };
    } catch (error) {
      reasons.push(`${name}: ${(error as Error).message.split('\n')[0]}`);
    }
  }
  throw new Error(
    `joinRanks: expected an MPI library for ${size} ranks, got none (install one, such as Debian's openmpi-bin, load the cluster's module, or name the file by VOXFACE_MPI_LIBRARY): ${reasons[0]}`,
  );
}

/** What is called of a library, and its constants, which Open MPI keeps behind symbols and MPICH's ABI fixes as numbers. */
interface Mpi {
  readonly world: unknown;
  readonly float: unknown;
  readonly double: unknown;
  readonly byte: unknown;
  readonly sum: unknown;
  readonly inPlace: unknown;
  /** @throws Error when the call says that it failed. */
  call(name: string, ...values: unknown[]): void;
  version(): string;
}

function bindLibrary(library: LibraryHandle): Mpi {
  const symbol = (name: string): unknown => {
    try {
      return library.symbol(name);
    } catch {
      return undefined;
    }
  };
  const isOpenMpi = symbol('ompi_mpi_comm_world') !== undefined;
  const handle = isOpenMpi ? 'void *' : 'int';
  const signatures: Record<string, string[]> = {
    MPI_Init_thread: ['void *', 'void *', 'int', '_Out_ int *'],
    MPI_Comm_rank: [handle, '_Out_ int *'],
    MPI_Comm_size: [handle, '_Out_ int *'],
    MPI_Allreduce: ['void *', 'void *', 'int', handle, handle, handle],
    MPI_Bcast: ['void *', 'int', handle, 'int', handle],
    MPI_Ibarrier: [handle, 'void *'],
    MPI_Test: ['void *', '_Out_ int *', 'void *'],
    MPI_Abort: [handle, 'int'],
    MPI_Finalize: [],
  };
  const functions = new Map(
    Object.entries(signatures).map(([name, types]) => [
      name,
      library.func(`int ${name}(${types.join(', ') || 'void'})`),
    ]),
  );
  const constants = isOpenMpi
    ? {
        world: symbol('ompi_mpi_comm_world'),
        float: symbol('ompi_mpi_float'),
        double: symbol('ompi_mpi_double'),
        byte: symbol('ompi_mpi_byte'),
        sum: symbol('ompi_mpi_op_sum'),
        inPlace: 1n,
      }
    : {
        world: 0x44000000,
        float: 0x4c00040a,
        double: 0x4c00080b,
        byte: 0x4c00010d,
        sum: 0x58000003,
        inPlace: 0xffffffffffffffffn,
      };
  return {
    ...constants,
    call(name, ...values) {
      const code = functions.get(name)!(...values);
      if (code !== 0) throw new Error(`${name}: expected success, got error ${code} of the MPI library`);
    },
    version() {
      const text = Buffer.alloc(8192);
      library.func('int MPI_Get_library_version(void *, _Out_ int *)')(text, [0]);
      return text.toString('latin1').split(/[,\n\0]/)[0];
    },
  };
}
