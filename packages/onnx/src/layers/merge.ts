import { materialize, spatialOrder, toPlain } from '../graph/materialize.ts';
import {
  type Axis,
  alignAtoms,
  axisSize,
  createAxis,
  type GraphValue,
  plainValue,
  renamed,
  valueShape,
} from '../graph/value.ts';
import { type LayerCall, unsupported } from './layer-call.ts';

const BINARY: Readonly<Record<string, string>> = { Add: 'Add', Subtract: 'Sub', Multiply: 'Mul' };
const VARIADIC: Readonly<Record<string, string>> = { Average: 'Mean', Maximum: 'Max', Minimum: 'Min' };

/** `Add`, `Multiply`, `Average`, `Maximum`, `Minimum`: the others are laid out like the first input. */
export function convertMerge(call: LayerCall): GraphValue {
  const { builder, name, className, inputs } = call;
  const operands = layAlike(call);
  const names = operands.map((value) => value.name);
  if (className in VARIADIC) return renamed(operands[0], builder.node(VARIADIC[className], names, name));
  let sum = names[0];
  for (let i = 1; i < names.length; i++) {
    const last = i === names.length - 1;
    sum = builder.node(BINARY[className], [sum, names[i]], last ? name : `${name}_part${i}`);
  }
  return renamed(operands[0], inputs.length === 1 ? names[0] : sum);
}

function layAlike(call: LayerCall): GraphValue[] {
  const { builder, inputs } = call;
  const shape = valueShape(inputs[0]).join();
  if (inputs.some((value) => valueShape(value).join() !== shape)) unsupported(call, 'broadcasting');
  let first = materialize(builder, inputs[0], [
    ...inputs[0].dims.map((axis) => [...axis]),
    ...stretchedOf(inputs[0]),
  ]);
  const others: GraphValue[] = [];
  for (const input of inputs.slice(1)) {
    const aligned = alignAtoms(first, input);
    if (aligned === null) return inputs.map((value) => plainly(call, value));
    // Finer atoms of the first describe the same tensor; operands laid out before keep their names.
    first = aligned.first;
    const wanted = first.dims.map((axis) => axis.map((atom) => aligned.pairs.get(atom)!));
    others.push(materialize(builder, aligned.second, wanted));
  }
  return [first, ...others];
}

function stretchedOf(value: GraphValue): Axis[] {
  const present = new Set(value.dims.flat());
  return value.axes.flat().flatMap((atom) => (present.has(atom) ? [] : [[atom]]));
}

function plainly(call: LayerCall, value: GraphValue): GraphValue {
  const plain = toPlain(call.builder, value);
  const axes = plain.axes.map((axis, i) => (i === 0 ? axis : createAxis(axisSize(axis))));
  return plainValue(plain.name, axes);
}

/**
 * `Concatenate`. Channels of images and volumes are joined channels-first, in the memory order of the input with
 * the most numbers; other axes are joined in the plain layout.
 */
export function convertConcatenate(call: LayerCall): GraphValue {
  const { builder, name, config, inputs } = call;
  const rank = inputs[0].axes.length;
  const axis = config.axis < 0 ? config.axis + rank : config.axis;
  const total = inputs.reduce((sum, value) => sum + axisSize(value.axes[axis]), 0);
  if (axis !== rank - 1 || rank < 4) {
    const plain = inputs.map((value) => toPlain(builder, value));
    const joined = builder.node(
      'Concat',
      plain.map((v) => v.name),
      name,
      { axis },
    );
    const axes = plain[0].axes.map((own, i) =>
      i === axis ? createAxis(total) : i === 0 ? own : createAxis(axisSize(own)),
    );
    return plainValue(joined, axes);
  }
  const largest = inputs.reduce((a, b) => (presentSize(b) > presentSize(a) ? b : a));
  const order = memoryOrder(largest, axis);
  const stored = inputs.map((value) =>
    materialize(
      builder,
      value,
      order.map((k) => value.axes[k]),
    ),
  );
  const joined = builder.node(
    'Concat',
    stored.map((v) => v.name),
    name,
    { axis: order.indexOf(axis) },
  );
  const axes = stored[0].axes.map((own, i) =>
    i === axis ? createAxis(total) : i === 0 ? own : createAxis(axisSize(own)),
  );
  builder.joined.set(joined, inputs);
  return { name: joined, dims: order.map((k) => axes[k]), axes };
}

/** Batch first, then volumes in the order of their memory, images with channels in front. */
function memoryOrder(value: GraphValue, axis: number): number[] {
  const spatial = spatialOrder(value, axis);
  const flat = value.dims.flat();
  const leads =
    value.axes.length === 5 && flat.indexOf(value.axes[spatial[0]][0]) < flat.indexOf(value.axes[axis][0]);
  return leads ? [0, spatial[0], axis, ...spatial.slice(1)] : [0, axis, ...spatial];
}

/** Numbers per sample that the tensor really holds. */
function presentSize(value: GraphValue): number {
  return value.dims.slice(1).reduce((product, axis) => product * Math.abs(axisSize(axis)), 1);
}
