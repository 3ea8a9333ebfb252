import type { AttributeValue, GraphNode, Initializer } from '../format/encode-model.ts';
import type { GraphValue } from './value.ts';

/** Collects the nodes and constants of a graph under unique names. */
export class GraphBuilder {
  nodes: GraphNode[] = [];
  readonly initializers: Map<string, Initializer> = new Map();
  /** Results of data movements, by input and target, so that none is done twice. */
  readonly moved: Map<string, string> = new Map();
  /** What was joined along the channels, by the name of the result: operators may take the parts instead. */
  readonly joined: Map<string, readonly GraphValue[]> = new Map();
  /** Outputs of movements that leave every number in its channel; scales of channels reach through them. */
  readonly channelwise: Set<string> = new Set();
  readonly #names = new Set<string>();
  readonly #integers = new Map<string, string>();

  /** `hint`, or `hint_2`, `hint_3`, ... where it is taken. */
  unique(hint: string): string {
    let name = hint;
    for (let k = 2; this.#names.has(name); k++) name = `${hint}_${k}`;
    this.#names.add(name);
    return name;
  }

  /** Adds a constant of floats and returns its name. */
  floats(hint: string, dims: readonly number[], data: ArrayLike<number>): string {
    const name = this.unique(hint);
    this.initializers.set(name, { name, type: 'float32', dims, data: Float32Array.from(data) });
    return name;
  }

  /** Adds a constant of integers and returns its name; equal constants are shared. */
  integers(values: readonly number[], dims: readonly number[] = [values.length]): string {
    const key = `${dims.join('x')}: ${values.join(' ')}`;
    let name = this.#integers.get(key);
    if (name === undefined) {
      name = this.unique(`integers_${this.#integers.size + 1}`);
      this.#integers.set(key, name);
    }
    // Passes drop constants that nothing reads; one that is asked for again has to be there.
    this.initializers.set(name, { name, type: 'int64', dims, data: values });
    return name;
  }

  /** Adds an operation with one output and returns the output's name, which is also the node's. */
  node(
    type: string,
    inputs: readonly string[],
    hint: string,
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): string {
    const name = this.unique(hint);
    this.nodes.push({ type, name, inputs, outputs: [name], attributes });
    return name;
  }
}
