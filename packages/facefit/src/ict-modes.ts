import type { FaceModes } from './face-model.ts';

/**
 * Expression modes that a still photo's 68 points say nothing about, or (mouthClose) that only mean something
 * together with another one.
 */
const UNUSED = /^(PupilDilate|eyeLookIn|eyeLookOut|mouthClose)/;

/** ICT-FaceKit's modes: identity weights are standard deviations within 3, expression weights run from 0 to 1. */
export function ictModes(
  identity: Float32Array,
  identityNames: readonly string[],
  expression: Float32Array,
  expressionNames: readonly string[],
): { identity: FaceModes; expression: FaceModes } {
  return {
    identity: modes(identity, identityNames, 1, () => [-3, 3]),
    expression: modes(expression, expressionNames, 0.5, (name) => (UNUSED.test(name) ? [0, 0] : [0, 1])),
  };
}

/** y up, z out of the face -> y down, z into the head: half a turn about x, in place. */
export function toHeadAxes(points: Float32Array): void {
  for (let i = 0; i < points.length; i += 3) {
    points[i + 1] = -points[i + 1];
    points[i + 2] = -points[i + 2];
  }
}

function modes(
  offsets: Float32Array,
  names: readonly string[],
  deviation: number,
  bound: (name: string) => [number, number],
): FaceModes {
  return {
    count: names.length,
    names,
    offsets,
    deviation: new Float32Array(names.length).fill(deviation),
    bounds: Float32Array.from(names.flatMap(bound)),
  };
}
