import { describe, expect, it } from 'vitest';
import {
  AFLW_21,
  createLandmarks,
  createRandom,
  findScheme,
  flipLandmarks,
  IBUG_68,
  IBUG_68_TO_3DFAW_66,
  IBUG_68_TO_AFLW_21,
  IBUG_68_TO_FIVE_POINTS,
  IBUG_68_TO_INNER_51,
  type Landmarks,
  mapLandmarks,
  mirrorIndices,
  SCHEMES,
  selectScheme,
  THREEDFAW_66,
  WFLW_98,
  WFLW_98_TO_IBUG_68,
} from '../src/index.ts';

const MAPS = [
  IBUG_68_TO_3DFAW_66,
  IBUG_68_TO_AFLW_21,
  IBUG_68_TO_FIVE_POINTS,
  IBUG_68_TO_INNER_51,
  WFLW_98_TO_IBUG_68,
];

function randomShape(count: number): Landmarks<3> {
  const random = createRandom(count);
  return createLandmarks(
    Array.from({ length: count * 3 }, () => random.integer(1000)),
    3,
  );
}

describe.each(Object.values(SCHEMES))('$name', (scheme) => {
  it('has one name per landmark, pairs that do not overlap, groups that cover all landmarks once', () => {
    expect(scheme.names).toHaveLength(scheme.count);
    expect(new Set(scheme.names).size).toBe(scheme.count);
    const paired = scheme.mirrorPairs.flat();
    expect(new Set(paired).size).toBe(paired.length);
    const grouped = Object.values(scheme.groups).flat();
    expect([...grouped].sort((a, b) => a - b)).toEqual(Array.from({ length: scheme.count }, (_, i) => i));
  });

  it('mirrors the outer eye corners and left names into each other', () => {
    const mirror = mirrorIndices(scheme);
    expect(mirror[scheme.outerEyeCorners[0]]).toBe(scheme.outerEyeCorners[1]);
    for (const [group, members] of Object.entries(scheme.groups)) {
      const other = group.startsWith('right-') ? group.replace('right-', 'left-') : group;
      if (group.startsWith('left-')) continue;
      const mirrored = members.map((i) => mirror[i]).sort((a, b) => a - b);
      expect(mirrored).toEqual([...scheme.groups[other]].sort((a, b) => a - b));
    }
  });
});

describe('mirror pairs', () => {
  const key = (pairs: readonly (readonly [number, number])[]): string[] =>
    pairs.map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`).sort();

  it('are those of the published tables for 66 and 21 points', () => {
    const of66 = [...IBUG_68.mirrorPairs.filter(([a, b]) => Math.max(a, b) < 60), [60, 62], [65, 63]];
    expect(key(THREEDFAW_66.mirrorPairs)).toEqual(key(of66 as [number, number][]));
    const of21 = [
      [0, 5],
      [1, 4],
      [2, 3],
      [6, 11],
      [7, 10],
      [8, 9],
      [13, 15],
      [17, 19],
      [12, 16],
    ];
    expect(key(AFLW_21.mirrorPairs)).toEqual(key(of21 as [number, number][]));
  });

  it('leave the midline of WFLW alone', () => {
    const mirror = mirrorIndices(WFLW_98);
    const fixed = mirror.map((to, from) => (to === from ? from : -1)).filter((i) => i >= 0);
    expect(fixed).toEqual([16, 51, 52, 53, 54, 57, 79, 85, 90, 94]);
  });
});

describe('mapLandmarks', () => {
  it.each(MAPS)('commutes with mirroring: $from.name to $to.name', (map) => {
    const shape = randomShape(map.from.count);
    const mapped = mapLandmarks(flipLandmarks(shape, map.from, 1000), map);
    const flipped = flipLandmarks(mapLandmarks(shape, map), map.to, 1000);
    expect(map.sources).toHaveLength(map.to.count);
    mapped.points.forEach((value, i) => {
      expect(value).toBeCloseTo(flipped.points[i], 2);
    });
  });

  it('carries outer eye corners to outer eye corners', () => {
    for (const map of MAPS.filter(({ to }) => to.count > 5)) {
      expect(map.to.outerEyeCorners.map((i) => map.sources[i])).toEqual(
        map.from.outerEyeCorners.map((i) => [i]),
      );
    }
  });

  it('takes means of groups by hand', () => {
    const shape = createLandmarks(
      Array.from({ length: 136 }, (_, i) => (i % 2 ? 1000 + (i - 1) / 2 : i / 2)),
      2,
    );
    const five = mapLandmarks(shape, IBUG_68_TO_FIVE_POINTS);
    expect([...five.points]).toEqual([38.5, 1038.5, 44.5, 1044.5, 30, 1030, 48, 1048, 54, 1054]);
    const aflw = mapLandmarks(shape, IBUG_68_TO_AFLW_21);
    const indices = [...aflw.points].filter((_, i) => i % 2 === 0);
    expect(indices).toEqual([
      17, 19, 21, 22, 24, 26, 36, 38.5, 39, 42, 44.5, 45, 2, 31, 30, 35, 14, 48, 63.5, 54, 8,
    ]);
  });

  it('drops 60 and 64 for 3DFAW and keeps the named points of WFLW', () => {
    const kept = IBUG_68_TO_3DFAW_66.sources.flat();
    expect(kept.slice(58)).toEqual([58, 59, 61, 62, 63, 65, 66, 67]);
    const from98 = WFLW_98_TO_IBUG_68.sources.flat();
    expect([from98[8], from98[30], from98[36], from98[45], from98[48], from98[54]]).toEqual([
      16, 54, 60, 72, 76, 82,
    ]);
  });

  it('refuses shapes of another scheme', () => {
    expect(() => mapLandmarks(randomShape(66), IBUG_68_TO_AFLW_21)).toThrow(
      'mapLandmarks: ibug-68 to aflw-21 needs 68 landmarks, got 66',
    );
  });
});

describe('selectScheme and findScheme', () => {
  it('refuses half a mirror pair and a missing eye corner', () => {
    expect(() => selectScheme(IBUG_68, [36, 45, 48], 'three')).toThrow('got no landmark 54 of ibug-68');
    expect(() => selectScheme(IBUG_68, [30], 'nose')).toThrow('got no landmark 36 of ibug-68');
  });

  it('finds a scheme by name and lists the known ones otherwise', () => {
    expect(findScheme('wflw-98')).toBe(WFLW_98);
    expect(() => findScheme('toString')).toThrow('must be one of ibug-68, 3dfaw-66, inner-51');
  });
});
