import { availableParallelism } from 'node:os';
import type * as runtime from 'onnxruntime-node';

export interface NodeSessionOptions {
  /** Execution providers in order of preference: `cpu`, and `webgpu`, `cuda`, `coreml`, `dml` where they are. */
  providers?: readonly string[];
  /** Threads of one operator; null takes every core this process may use. */
  threads?: number | null;
}

export const NODE_SESSION_DEFAULTS: Required<NodeSessionOptions> = { providers: ['cpu'], threads: null };

/**
 * Opens a model with onnxruntime-node.
 * @throws Error when onnxruntime-node is not installed.
 */
export async function openNodeSession(
  file: Uint8Array,
  options: NodeSessionOptions = {},
): Promise<{ runtime: typeof runtime; session: runtime.InferenceSession }> {
  const { providers, threads } = { ...NODE_SESSION_DEFAULTS, ...options };
  const loaded = await loadRuntime();
  const session = await loaded.InferenceSession.create(file, {
    executionProviders: providers as runtime.InferenceSession.ExecutionProviderConfig[],
    intraOpNumThreads: threads ?? availableParallelism(),
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
  });
  return { runtime: loaded, session };
}

async function loadRuntime(): Promise<typeof runtime> {
  try {
    return await import('onnxruntime-node');
  } catch (cause) {
    throw new Error(
      'openNodeSession: onnxruntime-node could not be loaded (install it beside @voxface/onnx: npm install onnxruntime-node)',
      { cause },
    );
  }
}
