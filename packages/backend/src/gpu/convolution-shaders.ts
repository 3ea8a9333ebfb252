// Design. All three passes are products of matrices that are never written out. A workgroup loads a tile of each factor into
// shared memory and every thread keeps a small tile of the product in registers. Numbers of channels, kernel and stride are
// written into the code, so that a division by them is a multiplication; sizes of the pictures are uniforms, since a network
// meets the same layer at five sizes and a pipeline takes long to compile.
//
// TensorFlow.js' own kernels take one thread per element of the result: the filter's gradient at 32 x 32 x 128 samples is then
// a loop of 131 072 rounds in 9216 threads, which leaves a large GPU idle.

import type { Shader } from './webgpu-kernel.ts';

type Triple = readonly [number, number, number];

/** A convolution in three dimensions; a planar one has depth 1. */
export interface ConvolutionShape {
  readonly batch: number;
  readonly input: Triple;
  readonly output: Triple;
  readonly kernel: Triple;
  readonly stride: Triple;
  readonly pad: Triple;
  readonly channels: number;
  readonly filters: number;
}

const THREADS = 128;
/** Slice of the inner dimension that is in shared memory at once, and its length in memory: one more vec4 spreads the banks. */
const INNER = 16;
const ROW = INNER / 4 + 1;

/**
 * Convolution, or its gradient with respect to the input: every row of the result gathers what its taps reach.
 *
 * Rows are positions of the result, columns its channels, the inner dimension is taps times channels of the source. With a
 * stride, a position of the input meets only the taps of its parity: the third dimension of the dispatch goes over the parities.
 */
export function gatherShader(
  shape: ConvolutionShape,
  pass: 'forward' | 'input gradient',
  hasBias: boolean,
): Shader {
  const isForward = pass === 'forward';
  const { kernel, stride, pad, batch } = shape;
  const source = isForward ? shape.input : shape.output;
  const target = isForward ? shape.output : shape.input;
  const inner = isForward ? shape.channels : shape.filters;
  const columns = isForward ? shape.filters : shape.channels;
  const parity: Triple = isForward ? [1, 1, 1] : stride;
  const taps = kernel.map((k, axis) => Math.ceil(k / parity[axis])) as unknown as Triple;
  const tapCount = taps[0] * taps[1] * taps[2];
  const tileColumns = columns <= 8 ? 8 : 32;
  const threadsAcross = tileColumns / 4;
  const threadsDown = THREADS / threadsAcross;
  const rowsEach = tileColumns === 8 ? 2 : 4;
  const tileRows = threadsDown * rowsEach;
  const loadsEach = (tileRows * 4) / THREADS;
  const isWide = inner % INNER === 0;
  const width = isWide ? 4 : 1;
  const depth = isWide ? inner : tapCount * inner;
  const steps = Math.ceil(depth / INNER);
  const grid = target.map((side, axis) => Math.ceil(side / parity[axis]));
  const rows = batch * grid[0] * grid[1] * grid[2];
  const vec = (values: Triple): string => `vec3<i32>(${values.join(', ')})`;

  const filterAt = isForward
    ? `w[(tap * ${inner} + c) * ${columns} + column]`
    : `w[(tap * ${columns} + column) * ${inner} + c]`;
  const readSource = `
    fn readSource(place : vec4<i32>, tap : vec3<i32>, c : i32) -> ${isWide ? 'vec4<f32>' : 'f32'} {
      let zero = ${isWide ? 'vec4<f32>(0.0)' : '0.0'};
      if (place.x < 0) { return zero; }
      let at = place.yzw ${isForward ? '+' : '-'} tap;
      if (any(at < vec3<i32>(0)) || at.x >= uniforms.sourceD || at.y >= uniforms.sourceH || at.z >= uniforms.sourceW) { return zero; }
      let index = (((place.x * uniforms.sourceD + at.x) * uniforms.sourceH + at.y) * uniforms.sourceW + at.z) * ${inner} + c;
      return x[index / ${width}];
    }
    fn readFilter(tap : vec3<i32>, c : i32, column : i32) -> f32 {
      let real = ${isForward ? 'tap' : `first_tap + tap * ${vec(parity)}`};
      if (column >= ${columns} || any(real >= ${vec(kernel)})) { return 0.0; }
      let tap_index = (real.x * ${kernel[1]} + real.y) * ${kernel[2]} + real.z;
      return ${filterAt.replaceAll('tap *', 'tap_index *')};
    }`;
  const tapOf = (index: string): string =>
    `vec3<i32>(${index} / ${taps[1] * taps[2]}, (${index} / ${taps[2]}) % ${taps[1]}, ${index} % ${taps[2]})`;
  // One vec4 of each tile: of the source for (row, four inner values), of the filter for (column, four inner values).
  const load = isWide
    ? {
        source: (slot: string) => `readSource(place, tap, step * ${INNER} + ${slot} * 4)`,
        filter: (slot: string) =>
          `vec4<f32>(${[0, 1, 2, 3].map((q) => `readFilter(tap, step * ${INNER} + ${slot} * 4 + ${q}, column)`).join(', ')})`,
      }
    : {
        source: (slot: string) =>
          `vec4<f32>(${[0, 1, 2, 3].map((q) => `readFlatSource(place, step * ${INNER} + ${slot} * 4 + ${q})`).join(', ')})`,
        filter: (slot: string) =>
          `vec4<f32>(${[0, 1, 2, 3].map((q) => `readFlatFilter(step * ${INNER} + ${slot} * 4 + ${q}, column)`).join(', ')})`,
      };
  const flatReaders = isWide
    ? ''
    : `
    fn readFlatSource(place : vec4<i32>, k : i32) -> f32 {
      if (k >= ${depth}) { return 0.0; }
      let tap_number = k / ${inner};
      return readSource(place, ${tapOf('tap_number')}, k % ${inner});
    }
    fn readFlatFilter(k : i32, column : i32) -> f32 {
      if (k >= ${depth}) { return 0.0; }
      let tap_number = k / ${inner};
      return readFilter(${tapOf('tap_number')}, k % ${inner}, column);
    }`;
  const each = (count: number, text: (i: number) => string): string =>
    Array.from({ length: count }, (_, i) => text(i)).join('\n');
  const product = `
        workgroupBarrier();
        for (var slot = 0; slot < ${INNER / 4}; slot++) {
          ${each(4, (j) => `let b${j} = tile_b[(across + ${j * threadsAcross}) * ${ROW} + slot];`)}
          ${each(rowsEach, (i) => `let a${i} = tile_a[(down + ${i * threadsDown}) * ${ROW} + slot];`)}
          ${each(rowsEach, (i) => `sum${i} += vec4<f32>(dot(a${i}, b0), dot(a${i}, b1), dot(a${i}, b2), dot(a${i}, b3));`)}
        }
        workgroupBarrier();`;
  const loads = `
        ${each(loadsEach, (i) => `tile_a[load_row * ${ROW} + load_slot + ${i}] = ${load.source(`(load_slot + ${i})`)};`)}
        if (thread < ${tileColumns * 4}) {
          let column = first_column + thread % ${tileColumns};
          let slot = thread / ${tileColumns};
          tile_b[(thread % ${tileColumns}) * ${ROW} + slot] = ${load.filter('slot')};
        }`;
  return {
    key: `convolve_${pass === 'forward' ? 'f' : 'i'}_${inner}_${columns}_${kernel.join('.')}_${stride.join('.')}_${pad.join('.')}_${hasBias}`,
    variables: hasBias ? ['x', 'w', 'bias'] : ['x', 'w'],
    components: hasBias ? [width, 1, 1, 1] : [width, 1, 1],
    uniforms: {
      rows,
      gridD: grid[0],
      gridH: grid[1],
      gridW: grid[2],
      sourceD: source[0],
      sourceH: source[1],
      sourceW: source[2],
      targetD: target[0],
      targetH: target[1],
      targetW: target[2],
    },
    workgroupSize: THREADS,
    workgroups: [
      Math.ceil(rows / tileRows),
      Math.ceil(columns / tileColumns),
      parity[0] * parity[1] * parity[2],
    ],
    code: `
      var<workgroup> tile_a : array<vec4<f32>, ${tileRows * ROW}>;
      var<workgroup> tile_b : array<vec4<f32>, ${tileColumns * ROW}>;
      var<private> first_tap : vec3<i32>;
      ${readSource}
      ${flatReaders}
      fn positionOf(row : i32) -> vec4<i32> {
        let plane = row / uniforms.gridW;
        let volume = plane / uniforms.gridH;
        return vec4<i32>(volume / uniforms.gridD, volume % uniforms.gridD, plane % uniforms.gridH, row % uniforms.gridW);
      }
      fn main(index : i32) {
        let thread = i32(localIndex);
        let first_row = i32(workgroupId.x) * ${tileRows};
        let first_column = i32(workgroupId.y) * ${tileColumns};
        let number = i32(workgroupId.z);
        let odd = vec3<i32>(number / ${parity[1] * parity[2]}, (number / ${parity[2]}) % ${parity[1]}, number % ${parity[2]});
        first_tap = (odd + ${vec(pad)}) % ${vec(parity)};
        let across = thread % ${threadsAcross};
        let down = thread / ${threadsAcross};
        let load_row = thread / ${4 / loadsEach};
        let load_slot = (thread % ${4 / loadsEach}) * ${loadsEach};
        var place = positionOf(first_row + load_row);
        place = vec4<i32>(place.x, ${
          isForward
            ? `place.yzw * ${vec(stride)} - ${vec(pad)}`
            : `place.yzw + (odd + ${vec(pad)} - first_tap) / ${vec(parity)}`
        });
        if (first_row + load_row >= uniforms.rows) { place.x = -1; }
        ${each(rowsEach, (i) => `var sum${i} = vec4<f32>(0.0);`)}
        ${
          isWide
            ? `for (var tap_number = 0; tap_number < ${tapCount}; tap_number++) {
          let tap = ${tapOf('tap_number')};
          for (var step = 0; step < ${steps}; step++) { ${loads} ${product} }
        }`
            : `for (var step = 0; step < ${steps}; step++) { ${loads} ${product} }`
        }
        ${each(
          rowsEach,
          (i) => `{
          let row = first_row + down + ${i * threadsDown};
          let cell = positionOf(row);
          let at = cell.yzw * ${vec(parity)} + odd;
          if (row < uniforms.rows && at.x < uniforms.targetD && at.y < uniforms.targetH && at.z < uniforms.targetW) {
            let to = (((cell.x * uniforms.targetD + at.x) * uniforms.targetH + at.y) * uniforms.targetW + at.z) * ${columns};
            ${each(4, (j) => {
              const column = `first_column + across + ${j * threadsAcross}`;
              const value = `sum${i}.${'xyzw'[j]}`;
              return `if (${column} < ${columns}) { result[to + ${column}] = ${hasBias ? `${value} + bias[${column}]` : value}; }`;
            })}
          }
        }`,
        )}
      }`,
  };
}

const GRADIENT_THREADS = 64;
const TILE = 32;
/** Positions in shared memory at once. */
const POSITIONS = 32;
/** Workgroups that keep a large GPU busy. */
const WORKGROUPS = 1024;
/** A part should add up this many positions or its own result costs more than it. */
const FEWEST_POSITIONS = 256;

/**
 * Gradient with respect to the filter: rows are taps times channels, columns filters, and the inner dimension goes over all
 * positions of all samples, in parts that run side by side: [parts, taps * channels * filters].
 */
export function filterGradientShader(shape: ConvolutionShape): { shader: Shader; parts: number } {
  const { kernel, stride, pad, batch, input, output, channels, filters } = shape;
  const rows = kernel[0] * kernel[1] * kernel[2] * channels;
  const positions = batch * output[0] * output[1] * output[2];
  const tiles = Math.ceil(rows / TILE) * Math.ceil(filters / TILE);
  const parts = Math.max(
    1,
    Math.min(Math.ceil(WORKGROUPS / tiles), Math.floor(positions / FEWEST_POSITIONS), 512),
  );
  const share = Math.ceil(positions / parts / POSITIONS) * POSITIONS;
  const isPointwise = [...kernel, ...stride].every((side) => side === 1) && pad.every((side) => side === 0);
  const vector = channels % 4 === 0 && filters % 4 === 0;
  const width = vector ? 8 : TILE;
  const rowsAtOnce = GRADIENT_THREADS / width;
  const vec = (values: Triple): string => `vec3<i32>(${values.join(', ')})`;
  const type = vector ? 'vec4<f32>' : 'f32';
  const zero = vector ? 'vec4<f32>(0.0)' : '0.0';
  const per = vector ? 4 : 1;
  const store = (tile: string, value: string): string =>
    vector ? `${tile}[line * 8 + slot] = ${value};` : `${tile}[line * 8 + slot / 4][slot % 4] = ${value};`;
  const readSource = isPointwise
    ? `if (row < ${rows}) { value_a = x[(position * ${channels} + row) / ${per}]; }`
    : `if (row < ${rows}) {
            let plane = position / uniforms.outputW;
            let volume = plane / uniforms.outputH;
            let sample = volume / uniforms.outputD;
            let at = vec3<i32>(volume % uniforms.outputD, plane % uniforms.outputH, position % uniforms.outputW) * ${vec(stride)} + shift;
            if (all(at >= vec3<i32>(0)) && at.x < uniforms.inputD && at.y < uniforms.inputH && at.z < uniforms.inputW) {
              value_a = x[((((sample * uniforms.inputD + at.x) * uniforms.inputH + at.y) * uniforms.inputW + at.z) * ${channels} + channel) / ${per}];
            }
          }`;
  const shader: Shader = {
    key: `convolve_w_${channels}_${filters}_${kernel.join('.')}_${stride.join('.')}_${pad.join('.')}`,
    variables: ['x', 'dy'],
    components: [per, per, 1],
    uniforms: {
      positions,
      share,
      inputD: input[0],
      inputH: input[1],
      inputW: input[2],
      outputD: output[0],
      outputH: output[1],
      outputW: output[2],
    },
    workgroupSize: GRADIENT_THREADS,
    workgroups: [Math.ceil(rows / TILE), Math.ceil(filters / TILE), parts],
    code: `
      var<workgroup> tile_a : array<vec4<f32>, ${POSITIONS * 8}>;
      var<workgroup> tile_b : array<vec4<f32>, ${POSITIONS * 8}>;
      fn main(index : i32) {
        let thread = i32(localIndex);
        let slot = thread % ${width};
        let first_line = thread / ${width};
        let row = i32(workgroupId.x) * ${TILE} + slot * ${per};
        let column = i32(workgroupId.y) * ${TILE} + slot * ${per};
        let tap = row / ${channels};
        let channel = row % ${channels};
        let shift = vec3<i32>(tap / ${kernel[1] * kernel[2]}, (tap / ${kernel[2]}) % ${kernel[1]}, tap % ${kernel[2]}) - ${vec(pad)};
        let across = thread % 8;
        let down = thread / 8;
        let first = i32(workgroupId.z) * uniforms.share;
        let last = min(first + uniforms.share, uniforms.positions);
        var sum0 = vec4<f32>(0.0); var sum1 = vec4<f32>(0.0); var sum2 = vec4<f32>(0.0); var sum3 = vec4<f32>(0.0);
        for (var step = 0; step < uniforms.share; step += ${POSITIONS}) {
          for (var line = first_line; line < ${POSITIONS}; line += ${rowsAtOnce}) {
            let position = first + step + line;
            var value_a = ${type}(${zero});
            var value_b = ${type}(${zero});
            if (position < last) {
              ${readSource}
              if (column < ${filters}) { value_b = dy[(position * ${filters} + column) / ${per}]; }
            }
            ${store('tile_a', 'value_a')}
            ${store('tile_b', 'value_b')}
          }
          workgroupBarrier();
          for (var line = 0; line < ${POSITIONS}; line++) {
            let a = tile_a[line * 8 + down];
            let b = tile_b[line * 8 + across];
            sum0 += a.x * b; sum1 += a.y * b; sum2 += a.z * b; sum3 += a.w * b;
          }
          workgroupBarrier();
        }
        let to_row = i32(workgroupId.x) * ${TILE} + down * 4;
        let to_column = i32(workgroupId.y) * ${TILE} + across * 4;
        let base = i32(workgroupId.z) * ${rows * filters};
        ${[0, 1, 2, 3]
          .map(
            (i) =>
              `if (to_row + ${i} < ${rows}) { ${[0, 1, 2, 3]
                .map(
                  (j) =>
                    `if (to_column + ${j} < ${filters}) { result[base + (to_row + ${i}) * ${filters} + to_column + ${j}] = sum${i}.${'xyzw'[j]}; }`,
                )
                .join(' ')} }`,
          )
          .join('\n')}
      }`,
  };
  return { shader, parts };
}
