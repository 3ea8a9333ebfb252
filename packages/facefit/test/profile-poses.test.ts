import { createRandom } from '@voxface/landmarks';
import { describe, expect, it } from 'vitest';
import { parseObj } from '../src/open-face-model.ts';
import { profileYaws } from '../src/profile-poses.ts';

describe('profileYaws', () => {
  it('turns a turned face farther to its side, never back', () => {
    for (const yaw of [-55, -20, 15, 70]) {
      const yaws = profileYaws(yaw, 6, 90, createRandom(1));
      expect(yaws.length).toBeGreaterThan(2);
      for (const target of yaws) {
        expect(Math.sign(target)).toBe(Math.sign(yaw));
        expect(Math.abs(target)).toBeGreaterThan(Math.abs(yaw));
        expect(Math.abs(target)).toBeLessThanOrEqual(90);
      }
    }
  });

  it('turns a frontal face to both sides, the same way for the same seed', () => {
    const yaws = profileYaws(3, 6, 90, createRandom(4));
    expect(yaws.filter((yaw) => yaw > 0)).toHaveLength(3);
    expect(yaws.filter((yaw) => yaw < 0)).toHaveLength(3);
    expect(profileYaws(3, 6, 90, createRandom(4))).toEqual(yaws);
  });
});

describe('parseObj', () => {
  it('splits polygons and skips texture coordinates', () => {
    const mesh = parseObj('v 0 0 0\nvt 1 1\nv 1 0 0\nv 1 1 0\nv 0 1 0.5\nf 1/1 2/1 3/1 -1\n', 'a.obj');
    expect([...mesh.vertices.slice(9)]).toEqual([0, 1, 0.5]);
    expect([...mesh.triangles]).toEqual([0, 1, 2, 0, 2, 3]);
  });

  it.each(['v 0 a 0\n', 'v 0 0 0\nf 1 2 3\n', ''])('refuses %j', (text) => {
    expect(() => parseObj(text, 'a.obj')).toThrow(/parseObj/);
  });
});
