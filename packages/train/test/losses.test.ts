import {
  add,
  grads,
  mul,
  type Scalar,
  type Tensor,
  type Tensor3D,
  type Tensor4D,
  tensor,
  tensor3d,
  tensor4d,
} from '@tensorflow/tfjs-core';
import { setupBackend } from '@voxface/backend';
import { expectClose, expectGradient } from '@voxface/test-utils';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Batch2D, Batch3D } from '../src/batch.ts';
import {
  coordinateLoss,
  discriminatorObjective,
  generatorObjective,
  jointObjective,
  reconstructionLoss,
  volumeLoss,
} from '../src/losses.ts';
import { PHASES, type PhaseInput } from '../src/phases.ts';
import golden from './golden/train.json' with { type: 'json' };

const [b, h, w, c, n] = [2, 3, 4, 2, 5];
const { inputs, depths, toy, weights, mu } = golden;
const stagesOf = (values: number[][]) => values.map((v, m) => tensor4d(v, [b, h, w, depths[m] * c]));

let batch3d: Batch3D;
let batch2d: Batch2D;
let volumes: Tensor4D[];
let coordinates: Tensor3D;

beforeAll(async () => {
  await setupBackend('cpu');
  const base = {
    size: b,
    ids: ['a', 'b'],
    images: tensor4d(new Float32Array(b * 12), [b, 2, 2, 3]),
  };
  volumes = stagesOf(inputs.volumes);
  coordinates = tensor3d(inputs.coordinates, [b, n, 3]);
  batch3d = { ...base, kind: '3d', unit: tensor3d(inputs.unit3, [b, n, 3]), stages: stagesOf(inputs.truth) };
  batch2d = {
    ...base,
    kind: '2d',
    unit: tensor3d(inputs.unit2, [b, n, 2]),
    heatmap: tensor4d(inputs.heatmap, [b, h, w, c]),
    mask: tensor3d(inputs.mask, [b, n, 1]),
    complete: tensor4d([0, 1], [b, 1, 1, 1]),
  };
});

interface Golden {
  value: number;
  gradients: number[][];
}

/** Compares value and gradients with PyTorch, and the gradients with central differences. */
async function check(f: (...leaves: Tensor[]) => Scalar, leaves: Tensor[], expected: Golden): Promise<void> {
  expectClose(await f(...leaves).data(), [expected.value], { absolute: 1e-5, relative: 1e-5 });
  const gradients = grads((...x: Tensor[]) => f(...x))(leaves);
  for (let i = 0; i < leaves.length; i++) {
    expectClose(await gradients[i].data(), expected.gradients[i], { absolute: 1e-5, relative: 1e-5 });
  }
  await expectGradient((...x: Tensor[]) => f(...x), leaves);
}

const reconstruct = (stages: readonly Tensor[], parameters: readonly Tensor[]) =>
  stages.map((stage, m) => add(mul(stage, parameters[2 * m]), parameters[2 * m + 1]) as Tensor4D);
const toyParameters = () => toy.flat().map((value) => tensor(value));

describe('losses against PyTorch and central differences', () => {
  it('Eq. 5: voxels of 3D samples', () =>
    check((...v) => volumeLoss(v as Tensor4D[], batch3d).total, volumes, golden.eq5));
  it('Eq. 7: marginalized voxels of 2D samples, incomplete ones left out', () =>
    check((...v) => volumeLoss(v as Tensor4D[], batch2d).total, volumes, golden.eq7));
  it('Eq. 6: coordinates of 3D samples', () =>
    check((s) => coordinateLoss(s as Tensor3D, batch3d), [coordinates], golden.eq6));
  it('Eq. 8: x and y of 2D samples, hidden landmarks left out', () =>
    check((s) => coordinateLoss(s as Tensor3D, batch2d), [coordinates], golden.eq8));
  it('distance form: 3D samples', () =>
    check((s) => coordinateLoss(s as Tensor3D, batch3d, 'distance'), [coordinates], golden.distance3d));
  it('distance form: x and y of 2D samples, hidden landmarks left out', () =>
    check((s) => coordinateLoss(s as Tensor3D, batch2d, 'distance'), [coordinates], golden.distance2d));
  it('Eq. 9: joint objective', () =>
    check(
      (v1, v2, s) =>
        jointObjective(
          volumeLoss([v1, v2] as Tensor4D[], batch3d).total,
          coordinateLoss(s as Tensor3D, batch3d),
          weights,
        ),
      [...volumes, coordinates],
      golden.eq9,
    ));
  it('Eq. 10: reconstruction of true and predicted volumes', async () => {
    const loss = (stages: readonly Tensor4D[]) =>
      reconstructionLoss(stages, reconstruct(stages, toyParameters())).total.data();
    expectClose(await loss(batch3d.stages), [golden.eq10.real], { relative: 1e-5 });
    expectClose(await loss(volumes), [golden.eq10.fake], { relative: 1e-5 });
  });
  it('Eq. 11: objective of the discriminator', () =>
    check(
      (...leaves) => {
        const parameters = leaves.slice(0, 4);
        const energy = (stages: readonly Tensor4D[]) =>
          reconstructionLoss(stages, reconstruct(stages, parameters)).total;
        const terms = {
          real: energy(batch3d.stages),
          fake: energy(volumes),
          trueCoordinate: coordinateLoss(leaves[4] as Tensor3D, batch3d),
          coordinate: coordinateLoss(leaves[5] as Tensor3D, batch2d),
        };
        return discriminatorObjective(terms, mu, weights);
      },
      [...toyParameters(), coordinates, tensor3d(inputs.coordinatesFake, [b, n, 3])],
      golden.eq11,
    ));
  it('Eq. 13: adversarial loss, through both arguments of the distance', () =>
    check(
      (...v) => reconstructionLoss(v as Tensor4D[], reconstruct(v, toyParameters())).total,
      volumes,
      golden.eq13,
    ));
  it('Eq. 14: objective of the generator', () =>
    check(
      (v1, v2, s) =>
        generatorObjective(
          volumeLoss([v1, v2] as Tensor4D[], batch2d).total,
          coordinateLoss(s as Tensor3D, batch2d),
          reconstructionLoss([v1, v2] as Tensor4D[], reconstruct([v1, v2], toyParameters())).total,
          weights,
        ),
      [...volumes, coordinates],
      golden.eq14,
    ));
});

describe('volumeLoss', () => {
  it('names both numbers of stages when they differ', () => {
    expect(() => volumeLoss(volumes.slice(0, 1), batch3d)).toThrow(/one volume per stage \(2\), got 1/);
  });
});

describe('phases', () => {
  it('that need depth say so of batches without it', () => {
    for (const phase of ['coordinate', 'reconstruction'] as const) {
      const run = () => PHASES[phase].compute({ batches: [batch2d] } as unknown as PhaseInput);
      expect(run).toThrow(/needs samples with 3D annotation, got 2D only/);
    }
  });
});
