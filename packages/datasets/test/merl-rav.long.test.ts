import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openAflw20003d, openDataset, openMerlRav, recognizeDataset } from '../src/node.ts';
import { DATA, haveData } from './data-folder.ts';
import { syntheticJpeg } from './synthetic.ts';
import { writeFolder } from './synthetic-folder.ts';

describe.skipIf(!haveData('formats/merl-rav'))("MERL-RAV's own .pts", () => {
  /** The published label files under the folders that their names tell, beside made-up pictures. */
  async function organized(): Promise<string> {
    const files: Record<string, string | Uint8Array> = {};
    const picture = await syntheticJpeg(1, 640, 500);
    for (const name of await readdir(path.join(DATA, 'formats/merl-rav'))) {
      const [, pose, split, stem] = /^([a-z]+)_([a-z]+)_labels_(\w+)\.pts$/.exec(name)!;
      const folder = `${pose}/${split}`;
      files[`${folder}/labels/${stem}.pts`] = await readFile(
        path.join(DATA, 'formats/merl-rav', name),
        'utf8',
      );
      files[`flickr/${stem.replace(/_\d$/, '')}.jpg`] = picture;
    }
    return writeFolder(files);
  }

  it('reads signs as visibility, finds pictures of several faces, and chooses a split', async () => {
    const root = await organized();
    expect(await recognizeDataset(root)).toBe('merl-rav');
    const all = await openMerlRav(root);
    expect(all.length).toBe(9);
    const test = await openDataset(root, { split: 'test' });
    expect(test.ids).toEqual(['image00019']);
    await expect(openMerlRav(root, root, { split: 'val' })).rejects.toThrow(
      /split "val", got 9 of other splits/,
    );

    const left = await all.annotate!(all.ids.indexOf('image18859_1'));
    expect(left.attributes).toEqual({ split: 'train', pose: 'left' });
    expect(left.provenance.files[0]).toBe('flickr/image18859.jpg');
    expect([left.landmarks.points[0], left.landmarks.points[1]]).toEqual([
      Math.fround(111.46769203308148),
      Math.fround(53.920985303742505),
    ]);
    expect([left.visible![0], left.occluded![0], left.visible![15], left.visible![16]]).toEqual([1, 1, 0, 1]);
    const inside = { x: left.landmarks.points[30], y: left.landmarks.points[31] };
    expect(inside.x).toBeCloseTo(left.box.x + left.box.width / 2, 4);
    expect(inside.y).toBeCloseTo(left.box.y + left.box.height / 2, 4);
    const masked = await (await openMerlRav(root, root, { occluded: 'mask' })).annotate!(
      all.ids.indexOf('image18859_1'),
    );
    expect(masked.visible!.reduce((sum, value) => sum + value, 0)).toBe(
      left.visible!.reduce((sum, value) => sum + value, 0) -
        left.occluded!.reduce((sum, value) => sum + value, 0),
    );
  });
});

describe.skipIf(!haveData('aflw2000-3d-full'))('AFLW2000-3D as its archive unpacks', () => {
  const root = path.join(DATA, 'aflw2000-3d-full');

  it('opens all 2000 faces beside the folder Code', async () => {
    expect(await recognizeDataset(root)).toBe('aflw2000-3d');
    const dataset = await openDataset(root);
    expect(dataset.length).toBe(2000);
    expect(dataset.ids[0]).toBe('image00002');
  });

  it('gives the points that people marked under the same identifiers', async () => {
    const [network, people] = await Promise.all([
      openAflw20003d(root),
      openDataset(path.join(root, 'merl-rav-68.csv')),
    ]);
    expect(people.length).toBe(1564);
    const ids = new Set(network.ids);
    expect(people.ids.every((id) => ids.has(id))).toBe(true);
  });

  it('reports a .mat without picture and goes on', async () => {
    const mat = await readFile(path.join(root, 'image00002.mat'));
    const folder = await writeFolder({
      'a.mat': mat,
      'a.jpg': await syntheticJpeg(1, 450, 450),
      'stray.mat': mat,
      'Code/Model_Exp.mat': mat,
    });
    const problems: string[] = [];
    const dataset = await openDataset(folder, { onProblem: ({ error }) => problems.push(error.message) });
    expect(dataset.ids).toEqual(['a']);
    expect(problems).toEqual([expect.stringContaining('expected a picture beside stray.mat')]);
    await expect(openAflw20003d(folder)).rejects.toThrow(/a picture beside stray.mat/);
  });
});
