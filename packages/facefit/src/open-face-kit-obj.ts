import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createFaceModel, type FaceModel } from './face-model.ts';
import { ICT_LANDMARK_OFFSETS } from './ict-landmark-offsets.ts';
import { ictModes, toHeadAxes } from './ict-modes.ts';
import { ICT_TOPOLOGY } from './ict-topology.ts';
import { parseObj } from './parse-obj.ts';

/**
 * Reads the original files of ICT-FaceKit Light (`FaceXModel`): `generic_neutral_mesh.obj`, `identityNNN.obj`, and every other `.obj`
 * as an expression. Only the skin is kept. Folders with fewer modes give a model with fewer modes.
 * @throws Error when the neutral mesh is missing, there is no identity or expression, or the vertex counts differ.
 */
export async function openFaceKitObj(folder: string): Promise<FaceModel> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.obj')).sort();
  if (!names.includes('generic_neutral_mesh.obj')) {
    throw new Error(
      `openFaceKitObj: expected generic_neutral_mesh.obj in ${folder}, got ${names.length} other .obj files (pass FaceXModel of ICT-FaceKit)`,
    );
  }
  const read = async (name: string) =>
    parseObj(await readFile(join(folder, name), 'utf8'), join(folder, name));
  const neutral = await read('generic_neutral_mesh.obj');
  const used = 3 * (ICT_TOPOLOGY.skinLast + 1);
  if (neutral.vertices.length < used) {
    throw new Error(
      `openFaceKitObj: ICT-FaceKit's skin has ${used / 3} vertices, got ${neutral.vertices.length / 3} in ${folder}`,
    );
  }
  const mean = neutral.vertices.slice(0, used);
  const readModes = async (modeNames: string[]): Promise<Float32Array> => {
    const offsets = new Float32Array(modeNames.length * used);
    for (const [mode, name] of modeNames.entries()) {
      const { vertices } = await read(`${name}.obj`);
      if (vertices.length !== neutral.vertices.length) {
        throw new Error(
          `openFaceKitObj: ${name}.obj must have ${neutral.vertices.length / 3} vertices like the neutral mesh, got ${vertices.length / 3}`,
        );
      }
      for (let i = 0; i < used; i++) offsets[mode * used + i] = vertices[i] - mean[i];
    }
    toHeadAxes(offsets);
    return offsets;
  };
  const stems = names.map((name) => name.slice(0, -4)).filter((name) => name !== 'generic_neutral_mesh');
  const identityNames = stems.filter((name) => /^identity\d+$/.test(name));
  const expressionNames = stems.filter((name) => !/^identity\d+$/.test(name));
  const [identity, expression] = [await readModes(identityNames), await readModes(expressionNames)];
  toHeadAxes(mean);
  return createFaceModel({
    name: 'ict-facekit',
    mean,
    ...ictModes(identity, identityNames, expression, expressionNames),
    triangles: neutral.triangles.filter((_, i, all) => {
      const first = i - (i % 3);
      return Math.max(all[first], all[first + 1], all[first + 2]) <= ICT_TOPOLOGY.skinLast;
    }),
    landmarks: ICT_TOPOLOGY.landmarks,
    landmarkOffsets: ICT_LANDMARK_OFFSETS,
    contourRange: ICT_TOPOLOGY.narrowFace,
  });
}
