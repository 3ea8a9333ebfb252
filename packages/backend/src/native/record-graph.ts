import { backend, dispose, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { checkInputs, describeTensor, type Program, type Recording } from '../program/record-program.ts';
import type { NativeBackend } from './run-native.ts';
import { isNative, OWN_OPERATIONS } from './run-native.ts';
import { encodeSavedModel, type GraphNode, SAVED_MODEL_TAG } from './saved-model.ts';
import { type Trace, traceOperations } from './trace-operations.ts';

/**
 * Like `recordProgram`, but the program is one graph that the native library runs as a whole: it folds and fuses
 * operations, runs independent ones side by side and has no JavaScript between them. The first run plans the graph, which takes
 * about a second for a training step. Values are those of the kernels up to rounding. The same conditions on the function
 * hold as for `recordProgram`.
 *
 * @throws Error on another backend than TensorFlow's own, when the function reads values of tensors, and when the
 * library refuses the graph.
 */
export function recordGraph(inputs: readonly Tensor[], compute: () => readonly Tensor[]): Recording {
  if (!isNative()) {
    throw new Error("recordGraph: the backend must be TensorFlow's own (setupBackend('node') makes it so)");
  }
  const native = backend() as unknown as NativeBackend;
  let trace!: Trace;
  const outputs = tidy(() => {
    let results: Tensor[] = [];
    trace = traceOperations(native, inputs, () => {
      results = compute().map((tensor) => tensor.clone());
      return results;
    });
    return results;
  });
  try {
    return { program: createGraphProgram(native, trace, inputs.map(describeTensor)), outputs };
  } catch (error) {
    dispose(outputs);
    throw error;
  }
}

function createGraphProgram(native: NativeBackend, trace: Trace, shapes: readonly string[]): Program {
  // On GPUs the graph stays as it was traced.
  const { nodes, fetches, isRead } = finishGraph(native.isUsingGpuDevice ? trace : fuseNodes(trace));
  const names = [...new Set(fetches)];
  const fed = trace.inputs.flatMap((name, i) => (name !== undefined && isRead(name) ? [{ name, i }] : []));
  const session = loadGraph(native, nodes);
  const inputNames = fed.map(({ name }) => `${name}:0`).join();
  const outputNames = names.join();
  let alive = true;
  return {
    length: nodes.length,
    run(given) {
      if (!alive) throw new Error('Program.run: this program was disposed (record it again)');
      if ((backend() as unknown) !== native) {
        throw new Error(
          "Program.run: recorded on TensorFlow's backend, another one is current (record it again)",
        );
      }
      checkInputs(given, shapes);
      const ids = native.getInputTensorIds(fed.map(({ i }) => given[i]));
      const results = native.binding.runSavedModel(session, ids, inputNames, outputNames);
      const tensors = results.map((result) => native.createOutputTensor(result));
      const taken = new Set<string>();
      return fetches.map((name) => {
        const tensor = tensors[names.indexOf(name)];
        if (taken.has(name)) return tensor.clone();
        taken.add(name);
        return tensor;
      });
    },
    dispose() {
      if (alive) native.binding.deleteSavedModel(session);
      alive = false;
    },
  };
}

/** Leaves out what no output depends on, and gives outputs that are inputs or constants a node of their own. */
function finishGraph({ nodes, outputs }: Pick<Trace, 'nodes' | 'outputs'>) {
  const all = new Map(nodes.map((node) => [node.name, node]));
  const own: GraphNode[] = [];
  const fetches = outputs.map((output) => {
    const { operation, attributes } = all.get(nodeOf(output))!;
    if (operation !== 'Placeholder' && operation !== 'Const') return output;
    const name = `output${own.length}`;
    own.push({ name, operation: 'Identity', inputs: [output], attributes: { T: attributes.dtype } });
    return `${name}:0`;
  });
  const live = new Set([...outputs.map(nodeOf), ...own.map(({ name }) => name)]);
  for (const node of nodes.toReversed()) {
    if (live.has(node.name)) for (const input of node.inputs) live.add(nodeOf(input));
  }
  const kept = [...nodes.filter(({ name }) => live.has(name)), ...own];
  return { nodes: kept, fetches, isRead: (name: string) => live.has(name) };
}

/**
 * Makes one operation of several where `OWN_OPERATIONS` can do them in one pass: filter and bias gradient, normalization and ReLU, its
 * gradient with that of the ReLU after it and with the sum that it goes into. Sums of a convolution and its bias become what
 * TensorFlow's optimizer recognizes as part of the convolution.
 */
function fuseNodes({ nodes: traced, outputs, shapes }: Trace): Pick<Trace, 'nodes' | 'outputs'> {
  const nodes = traced.map((node) => ({ ...node, inputs: [...node.inputs] }));
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const reads = new Map<string, number>();
  for (const source of [...nodes.flatMap(({ inputs }) => inputs), ...outputs]) {
    reads.set(source, (reads.get(source) ?? 0) + 1);
  }
  const moved = new Map<string, string>();
  const resolve = (source: string): string => moved.get(source) ?? source;
  /** The node of an operation whose first output is read here and nowhere else. */
  const ownInput = (source: string, operation: string) => {
    const node = byName.get(nodeOf(source));
    return node?.operation === operation && source === `${node.name}:0` && reads.get(source) === 1
      ? node
      : undefined;
  };
  const dependsOn = (source: string, wanted: FusedNode): boolean => {
    const seen = new Set<FusedNode>();
    const open = [source];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const node = byName.get(nodeOf(next))!;
      if (node === wanted) return true;
      if (!seen.has(node)) open.push(...node.inputs);
      seen.add(node);
    }
    return false;
  };
  const sums = new Map<string, string>();
  for (const { name, operation, inputs } of nodes) {
    if (operation === OWN_OPERATIONS.filterGradient) sums.set(inputs[1], `${name}:1`);
  }
  for (const node of nodes) {
    const sum = sums.get(node.inputs[0]);
    node.inputs = node.inputs.map(resolve);
    const { name, operation, inputs } = node;
    switch (operation) {
      case 'BiasAddGrad':
        if (sum !== undefined) moved.set(`${name}:0`, sum);
        break;
      case 'Relu': {
        const normalization = ownInput(inputs[0], OWN_OPERATIONS.normalization);
        if (normalization === undefined) break;
        rectify(normalization);
        reads.set(inputs[0], reads.get(`${name}:0`) ?? 0);
        moved.set(`${name}:0`, inputs[0]);
        break;
      }
      case OWN_OPERATIONS.normalizationGradient: {
        const gradient = ownInput(inputs[0], 'ReluGrad');
        const normalization = byName.get(nodeOf(inputs[4]));
        if (gradient === undefined || normalization?.inputs[0] !== inputs[1]) break;
        if (gradient.inputs[1] !== `${normalization.name}:0` || !isRectified(normalization)) break;
        inputs[0] = gradient.inputs[0];
        rectify(node);
        break;
      }
      case 'Add': {
        const [product, bias] = [ownInput(inputs[0], 'Conv2D'), shapes.get(inputs[1])];
        if (product !== undefined && bias?.length === 1 && bias[0] === shapes.get(inputs[0])!.at(-1)) {
          node.operation = 'BiasAdd';
          node.attributes = { ...node.attributes, data_format: { kind: 'string', value: 'NHWC' } };
          break;
        }
        const at = inputs.findIndex((source) => ownInput(source, OWN_OPERATIONS.normalizationGradient));
        if (at < 0) break;
        const [source, other] = [inputs[at], inputs[1 - at]];
        const gradient = byName.get(nodeOf(source))!;
        const isPlain =
          gradient.inputs.length === 6 && String(shapes.get(source)) === String(shapes.get(other));
        if (!isPlain || dependsOn(other, gradient)) break;
        gradient.inputs.push(other);
        gradient.attributes = { ...gradient.attributes, added: { kind: 'int', value: 1 } };
        reads.set(source, reads.get(`${name}:0`) ?? 0);
        moved.set(`${name}:0`, source);
        break;
      }
    }
  }
  return { nodes, outputs: outputs.map(resolve) };
}

function nodeOf(output: string): string {
  return output.slice(0, output.indexOf(':'));
}

/** The library reads graphs from a folder only. */
function loadGraph(native: NativeBackend, nodes: readonly GraphNode[]): number {
  const fs = process.getBuiltinModule('node:fs');
  const { join } = process.getBuiltinModule('node:path');
  const folder = fs.mkdtempSync(join(process.getBuiltinModule('node:os').tmpdir(), 'voxface-graph-'));
  try {
    fs.writeFileSync(join(folder, 'saved_model.pb'), encodeSavedModel(nodes));
    return native.binding.loadSavedModel(folder, SAVED_MODEL_TAG);
  } catch (error) {
    throw new Error(
      `recordGraph: TensorFlow must take the graph, got "${(error as Error).message.split('\n')[0]}" (recordProgram runs the same kernels one by one)`,
      { cause: error },
    );
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

type FusedNode = { -readonly [key in keyof GraphNode]: GraphNode[key] };

function rectify(node: FusedNode): void {
  node.attributes = { ...node.attributes, rectified: { kind: 'bool', value: true } };
}

function isRectified({ attributes }: FusedNode): boolean {
  const { rectified } = attributes;
  return rectified?.kind === 'bool' && rectified.value;
}
