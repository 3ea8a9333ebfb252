import { createLandmarks, IBUG_68, type Pixels } from '@voxface/landmarks';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { connectParts, landmarkColor, overlaySvg } from '../src/index.ts';
import { overlayPng, photoHref, renderPng } from '../src/node.ts';
import { dots, headAt } from './faces.ts';

const face = headAt(100, 90, 120);
const grey = (width: number, height: number, value = 60): Pixels => ({
  data: new Uint8Array(width * height * 3).fill(value),
  width,
  height,
  channels: 3,
});

async function pixelsOf(png: Buffer): Promise<(x: number, y: number) => number[]> {
  const { data, info } = await sharp(png).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  return (x, y) => Array.from(data.subarray((y * info.width + x) * 4, (y * info.width + x) * 4 + 4));
}

describe('overlaySvg', () => {
  it('puts one dot per landmark at its image coordinates', () => {
    const drawn = dots(overlaySvg({ width: 200, height: 180 }, [{ landmarks: face }]));
    expect(drawn).toHaveLength(68);
    drawn.forEach((dot, i) => {
      expect(Math.abs(dot.x - face.points[3 * i])).toBeLessThan(0.006);
      expect(Math.abs(dot.y - face.points[3 * i + 1])).toBeLessThan(0.006);
    });
  });

  it('walks the hue wheel by landmark', () => {
    const drawn = dots(overlaySvg(null, [{ landmarks: face }]));
    expect(drawn[0].fill).toBe('#ff0000');
    expect(drawn[34].fill).toBe('#00ffff');
    expect(drawn[17].fill).toBe('#80ff00');
  });

  it('uses pixel-centre coordinates: the view box starts half a pixel before the first pixel', () => {
    expect(overlaySvg({ width: 20, height: 10 }, [])).toContain('viewBox="-0.5 -0.5 20 10"');
  });

  it('connects every part once and closes eyes and lips', () => {
    const segments = connectParts(IBUG_68).map(([a, b]) => `${a}-${b}`);
    expect(new Set(segments).size).toBe(segments.length);
    expect(segments).toHaveLength(16 + 4 + 4 + 3 + 4 + 6 + 6 + 12 + 8);
    for (const closing of ['41-36', '47-42', '59-48', '67-60']) expect(segments).toContain(closing);
    expect(segments).not.toContain('16-17');
  });

  it('draws any other number of landmarks as dots alone', () => {
    const svg = overlaySvg(null, [{ landmarks: createLandmarks([0, 0, 10, 0, 5, 8], 2) }]);
    expect(dots(svg)).toHaveLength(3);
    expect(svg).not.toContain('<path');
  });

  it('draws what is uncertain faint, dots and lines', () => {
    const confidence = new Float32Array(68).fill(1);
    confidence[5] = 0;
    confidence[30] = 0.5;
    const svg = overlaySvg(null, [{ landmarks: face, confidence }]);
    const opacities = [...svg.matchAll(/<circle class="landmark"[^>]* opacity="([\d.]+)"/g)].map(
      ([, v]) => +v,
    );
    expect(opacities).toHaveLength(68);
    expect(opacities.filter((value) => value === 1)).toHaveLength(66);
    expect([opacities[5], opacities[30]]).toEqual([0.2, 0.6]);
    // Of point 5 on the jaw two lines go, each with its shade; two go from the nose tip's point 30 or one.
    expect([...svg.matchAll(/<path [^>]*opacity="0\.2"/g)]).toHaveLength(4);
    expect(overlaySvg(null, [{ landmarks: face }])).not.toMatch(/ opacity=/);
  });

  it('shows hidden landmarks as rings', () => {
    const visible = new Uint8Array(68).fill(1);
    visible[5] = 0;
    const drawn = dots(overlaySvg(null, [{ landmarks: face, visible }]));
    expect(drawn[5].fill).toBe('none');
    expect(drawn.filter((d) => d.fill === 'none')).toHaveLength(1);
  });

  it('escapes identifiers, titles and addresses', () => {
    const svg = overlaySvg(
      { width: 10, height: 10, href: 'a.jpg?x="1"&y=<2>' },
      [{ landmarks: face, id: '<script>&"\u0007' }],
      { title: "it's <b>" },
    );
    expect(svg).toContain('&lt;script&gt;&amp;&quot;</text>');
    expect(svg).toContain('href="a.jpg?x=&quot;1&quot;&amp;y=&lt;2&gt;"');
    expect(svg).toContain('<title>it&#39;s &lt;b&gt;</title>');
    expect(svg).not.toContain('<script');
  });

  it('refuses what it cannot draw, with the value', () => {
    const broken = { points: Float32Array.of(1, 2, Number.NaN, 4), dims: 2 as const };
    expect(() => overlaySvg(null, [])).toThrow(
      /overlaySvg: expected a picture or at least one face, got neither/,
    );
    expect(() => overlaySvg({ width: 0, height: 5 }, [])).toThrow(/positive size, got 0 x 5/);
    expect(() => overlaySvg(null, [{ landmarks: broken }])).toThrow(/finite, got NaN at landmark 1/);
    expect(() => overlaySvg(null, [{ landmarks: { points: new Float32Array(0), dims: 2 } }])).toThrow(
      /got none/,
    );
    expect(() => overlaySvg(null, [{ landmarks: createLandmarks([1, 2], 2) }], { scheme: IBUG_68 })).toThrow(
      /ibug-68 has 68 landmarks, got 1/,
    );
    expect(() => overlaySvg({ width: 5, height: 5 }, [], { scale: 0 })).toThrow(
      /scale must be positive, got 0/,
    );
  });
});

describe('overlayPng', () => {
  it('paints each dot in its colour over the photo, at every scale', async () => {
    for (const scale of [1, 3]) {
      const png = await overlayPng(grey(200, 180), [{ landmarks: face }], {
        radius: 2.5,
        scale,
        connect: false,
      });
      const { width, height } = await sharp(png).metadata();
      expect([width, height]).toEqual([200 * scale, 180 * scale]);
      const at = await pixelsOf(png);
      for (const i of [0, 8, 16, 27, 30, 33]) {
        const [x, y] = [face.points[3 * i], face.points[3 * i + 1]].map((v) => Math.floor((v + 0.5) * scale));
        const wanted = landmarkColor(i, 68).map((v) => v * 255);
        at(x, y)
          .slice(0, 3)
          .forEach((v, c) => {
            expect(Math.abs(v - wanted[c])).toBeLessThan(12);
          });
      }
      expect(at(2, 2)).toEqual([60, 60, 60, 255]);
    }
  });

  it('keeps the photo in place: the photo inside the SVG and the photo under it agree', async () => {
    const data = new Uint8Array(40 * 30 * 3);
    for (let i = 0; i < data.length; i++) data[i] = (Math.floor(i / 3) % 40) * 6;
    const photo: Pixels = { data, width: 40, height: 30, channels: 3 };
    const inside = await pixelsOf(
      await renderPng(overlaySvg({ ...photo, href: await photoHref(photo, 100) }, [])),
    );
    const under = await pixelsOf(await overlayPng(photo, []));
    for (let x = 1; x < 39; x++) expect(Math.abs(inside(x, 15)[0] - under(x, 15)[0])).toBeLessThan(4);
  });
});

describe('renderPng', () => {
  it('renders at the width that is asked for and on the ground that is asked for', async () => {
    const png = await renderPng(overlaySvg({ width: 40, height: 20 }, []), {
      width: 100,
      background: '#ff0000',
    });
    const { width, height } = await sharp(png).metadata();
    expect([width, height]).toEqual([100, 50]);
    expect((await pixelsOf(png))(50, 25)).toEqual([255, 0, 0, 255]);
  });

  it('names what is no drawing', async () => {
    await expect(renderPng('hello')).rejects.toThrow(
      /renderPng: expected an SVG document with a width, got "hello"/,
    );
  });
});
