import { parentPort, workerData } from 'node:worker_threads';
import { setupBackend } from '@voxface/backend';
import { createRunNetworks, type NetworkName, selectNetworks } from '../networks.ts';
import { createRunReplica } from '../replica.ts';
import type { ReplicaAnswer, ReplicaRequest, ReplicaSetup, SharedVectors } from './parallel-engine.ts';

/** A replica of the networks in a thread of its own, with its own backend; see `parallel-engine.ts`. */
const { config, model } = workerData as ReplicaSetup;
const ready = start();
let queue: Promise<void> = Promise.resolve();
parentPort?.on('message', (request: ReplicaRequest) => {
  queue = queue.then(async () => parentPort?.postMessage(await answer(request)));
});

async function start() {
  if (config.backend !== 'current') await setupBackend(config.backend, { threads: 1 });
  const networks = createRunNetworks({ ...config, model: { ...model } });
  const replica = createRunReplica(config, networks);
  return { networks, replica, shared: {} as Partial<Record<NetworkName, SharedVectors>> };
}

async function answer(request: ReplicaRequest): Promise<ReplicaAnswer> {
  try {
    return { value: await handle(request) };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

async function handle(request: ReplicaRequest): Promise<unknown> {
  const run = await ready;
  const { networks, replica, shared } = run;
  const own = (name: NetworkName) => selectNetworks(networks, [name])[0];
  switch (request.kind) {
    case 'share':
      run.shared = request.vectors;
      return undefined;
    case 'load':
      replica.load([request.samples]);
      return undefined;
    case 'compute': {
      const { losses, gradients } = await replica.compute(request.phase, request.mu);
      for (const [name, gradient] of Object.entries(gradients)) {
        new Float32Array(shared[name as NetworkName]!.gradient).set(gradient);
      }
      return { losses, names: Object.keys(gradients), times: replica.takeTimes() };
    }
    case 'write':
      own(request.name).trainable.write(
        Float32Array.from(new Float32Array(shared[request.name]!.parameters)),
      );
      return undefined;
    case 'energy':
      return replica.energy();
    case 'read-statistics':
      return own(request.name).statistics.read();
    case 'write-statistics':
      return own(request.name).statistics.write(request.values);
    case 'close':
      replica.dispose();
      return undefined;
  }
}
