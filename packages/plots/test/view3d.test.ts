import { createLandmarks } from '@voxface/landmarks';
import { sampleCloud } from '@voxface/volume';
import { describe, expect, it } from 'vitest';
import {
  contactSheet,
  overlaySvg,
  view3dPage,
  view3dSheetSvg,
  view3dSvg,
  volumeCloudSvg,
} from '../src/index.ts';
import { renderPng } from '../src/node.ts';
import { dots, HEAD } from './faces.ts';

/** What is left of the dots after the one translation and scale that fit landmarks 0 and 8. */
function misfit(svg: string, projected: (i: number) => [number, number]): number {
  const drawn = dots(svg).sort((a, b) => a.index - b.index);
  expect(drawn.map((d) => d.index)).toEqual(Array.from({ length: 68 }, (_, i) => i));
  const [px, py] = projected(0);
  const scale = (drawn[8].y - drawn[0].y) / (projected(8)[1] - py);
  return Math.max(
    ...drawn.map((dot, i) =>
      Math.hypot(
        dot.x - drawn[0].x - (projected(i)[0] - px) * scale,
        dot.y - drawn[0].y - (projected(i)[1] - py) * scale,
      ),
    ),
  );
}

describe('view3dSvg', () => {
  const p = HEAD.points;

  it('shows x and y as they are from the front', () => {
    const error = misfit(view3dSvg(HEAD, { yaw: 0, pitch: 0 }), (i) => [p[3 * i], p[3 * i + 1]]);
    expect(error).toBeLessThan(0.05);
  });

  it('turns the face to the right side of the picture with positive yaw: the profile shows -z', () => {
    const svg = view3dSvg(HEAD, { yaw: 90, pitch: 0 });
    const error = misfit(svg, (i) => [-p[3 * i + 2], p[3 * i + 1]]);
    expect(error).toBeLessThan(0.05);
  });

  it('turns the face up with positive pitch', () => {
    const error = misfit(view3dSvg(HEAD, { yaw: 0, pitch: 30 }), (i) => {
      const [sin, cos] = [Math.sin(Math.PI / 6), Math.cos(Math.PI / 6)];
      return [p[3 * i], cos * p[3 * i + 1] + sin * p[3 * i + 2]];
    });
    expect(error).toBeLessThan(0.05);
  });

  it('keeps every turn inside the picture', () => {
    for (const yaw of [-90, -40, 0, 70, 180]) {
      for (const dot of dots(view3dSvg(HEAD, { yaw, pitch: 25, size: 300 }))) {
        expect(Math.min(dot.x, dot.y)).toBeGreaterThan(10);
        expect(Math.max(dot.x, dot.y)).toBeLessThan(290);
      }
    }
  });

  it('draws near landmarks larger than far ones', () => {
    const svg = view3dSvg(HEAD, { yaw: 0, pitch: 0 });
    const radii = [...svg.matchAll(/class="landmark"[^>]* r="([\d.]+)"/g)].map((m) => Number(m[1]));
    expect(radii[radii.length - 1]).toBeGreaterThan(radii[0] * 1.2);
    expect([...radii].sort((a, b) => a - b)).toEqual(radii);
  });

  it('draws the truth red where it is, the landmarks blue, in one scale', () => {
    const truth = createLandmarks(
      HEAD.points.map((v, i) => (i % 3 === 0 ? v + 0.1 : v)),
      3,
    );
    const svg = view3dSvg(HEAD, { yaw: 0, pitch: 0, truth });
    const read = (kind: string) =>
      [
        ...svg.matchAll(
          new RegExp(
            `class="${kind}" data-landmark="(\\d+)" cx="([\\d.]+)" cy="([\\d.]+)"[^>]* fill="#(..)(..)(..)"`,
            'g',
          ),
        ),
      ]
        .map(([, index, x, y, ...rgb]) => ({
          index: +index,
          x: +x,
          y: +y,
          rgb: rgb.map((v) => parseInt(v, 16)),
        }))
        .sort((a, b) => a.index - b.index);
    const [own, red] = [read('landmark'), read('truth')];
    expect([own.length, red.length]).toEqual([68, 68]);
    // 0.1 in the unit of the head, by the scale that landmarks 0 and 8 are drawn at.
    const shift = (0.1 * (own[8].y - own[0].y)) / (p[25] - p[1]);
    for (const { index, x, y, rgb } of red) {
      expect(Math.abs(x - own[index].x - shift)).toBeLessThan(0.03);
      expect(Math.abs(y - own[index].y)).toBeLessThan(0.011);
      expect(rgb[0]).toBeGreaterThan(2 * rgb[2]);
      expect(own[index].rgb[2]).toBeGreaterThan(1.5 * own[index].rgb[0]);
    }
  });

  it('puts views side by side', () => {
    const svg = view3dSheetSvg(HEAD, { size: 200 });
    expect(svg).toContain('width="600" height="200"');
    expect(dots(svg)).toHaveLength(3 * 68);
    for (const name of ['frontal', 'three-quarter', 'profile']) expect(svg).toContain(`>${name}</text>`);
  });

  it('refuses 2D landmarks, empty lists and broken angles', () => {
    const plane = createLandmarks([1, 2, 3, 4], 2) as never;
    expect(() => view3dSvg(plane)).toThrow(/expected 3D landmarks, got dims 2/);
    expect(() => view3dSvg({ points: new Float32Array(0), dims: 3 })).toThrow(
      /at least one landmark, got none/,
    );
    expect(() => view3dSvg(HEAD, { yaw: Number.NaN })).toThrow(/finite degrees, got yaw NaN/);
    expect(() => view3dSvg(HEAD, { theme: 'pink' as never })).toThrow(/one of dark, light, got pink/);
    expect(() => view3dSheetSvg(HEAD, { views: [] })).toThrow(/at least one view, got none/);
  });
});

describe('volumeCloudSvg', () => {
  const shape = { height: 4, width: 5, depth: 6, channels: 3 };
  const volume = new Float32Array(4 * 5 * 6 * 3);
  volume.set([0.9, 0.45, 0], ((1 * 5 + 3) * 6 + 2) * 3);
  volume.set([0, 0, 0.3], ((2 * 5 + 0) * 6 + 5) * 3);

  it('is the same every time and differs by seed', () => {
    const draw = (seed: number) => volumeCloudSvg(volume, shape, { points: 50, seed });
    expect(draw(3)).toBe(draw(3));
    expect(draw(3)).not.toBe(draw(4));
  });
});

describe('view3dPage', () => {
  it('holds the data, loads nothing, and cannot be broken out of', () => {
    const html = view3dPage([{ landmarks: HEAD, name: '</script><b>x' }], { title: '<i>' });
    const json = /<script type="application\/json" id="data">(.*)<\/script>/.exec(html)![1];
    const [face] = JSON.parse(json);
    expect(face.name).toBe('</script><b>x');
    expect(face.points).toHaveLength(204);
    expect(Math.abs(face.points[203] - HEAD.points[203])).toBeLessThan(1e-4);
    expect(html.match(/<script/g)).toHaveLength(2);
    expect(html).not.toMatch(/https?:|src=|<i>/);
    const script = /<script>([\s\S]*)<\/script>/.exec(html)![1];
    expect(() => new Function(script)).not.toThrow();
  });

  it('refuses no faces and a cloud without its space', () => {
    expect(() => view3dPage([])).toThrow(/at least one face, got none/);
    const cloud = sampleCloud(
      Float32Array.of(1),
      { height: 1, width: 1, depth: 1, channels: 1 },
      { points: 2 },
    );
    expect(() => view3dPage([{ landmarks: HEAD, cloud }])).toThrow(/pass `unit`/);
    expect(view3dPage([{ landmarks: HEAD, unit: HEAD, cloud }])).toContain('"cloud":{"points"');
  });
});

describe('contactSheet', () => {
  const cell = overlaySvg(null, [{ landmarks: HEAD }]);

  it('lays pictures out row by row and renders', async () => {
    const sheet = contactSheet([{ svg: cell, caption: 'a & b' }, { svg: cell }, { svg: cell }], {
      columns: 2,
      cell: 100,
      gap: 10,
    });
    expect(sheet).toContain('width="230" height="250"');
    expect([...sheet.matchAll(/<svg x="(\d+)" y="(\d+)"/g)].map((m) => [m[1], m[2]])).toEqual([
      ['10', '10'],
      ['120', '10'],
      ['10', '130'],
    ]);
    expect(sheet).toContain('a &amp; b');
    expect((await renderPng(sheet)).length).toBeGreaterThan(1000);
  });

  it('names the picture that is none', () => {
    expect(() => contactSheet([])).toThrow(/at least one picture, got none/);
    expect(() => contactSheet([{ svg: cell }, { svg: '<p>' }])).toThrow(/got "<p>" at picture 1/);
    expect(() => contactSheet([{ svg: cell }], { columns: 0 })).toThrow(/positive integer, got 0/);
  });
});
