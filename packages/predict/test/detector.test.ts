import { type Box, boxOverlap, type Pixels } from '@voxface/landmarks';
import { describe, expect, it } from 'vitest';
import { createDetector, type DetectionNetwork, type DetectorOptions } from '../src/index.ts';

type Turn = 0 | 90 | 180 | -90;

/** A face: red above green, turned clockwise. */
interface Painted {
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly turn?: Turn;
}

function paint(width: number, height: number, faces: readonly Painted[]): Pixels {
  const data = new Uint8Array(width * height * 3);
  for (const { x, y, size, turn = 0 } of faces) {
    for (let v = 0; v < size; v++) {
      for (let u = 0; u < size; u++) {
        const top = { 0: v, 90: size - 1 - u, 180: size - 1 - v, [-90]: u }[turn];
        data[3 * ((y + v) * width + x + u) + (top < size / 2 ? 0 : 1)] = 255;
      }
    }
  }
  return { data, width, height, channels: 3 };
}

/** Finds one upright face of at least 28 pixels; one that is not upright looks like half a face. Notes what it was shown. */
function paintedNetwork(seen: string[], flexible = true): DetectionNetwork {
  const size = 512;
  const cells = (width: number, height: number): number => {
    let count = 0;
    for (let stride = 16; stride <= size; stride *= 2) {
      count += Math.ceil(width / stride) * Math.ceil(height / stride) * (stride === 16 ? 3 : 6);
    }
    return count;
  };
  const anchors = Float32Array.from({ length: 4 * cells(size, size) }, (_, i) => (i % 4 < 2 ? 0 : 1));
  return {
    head: { kind: 'ssd', inputSize: size, ...(flexible && { step: 32 }), overlap: 0.5, anchors },
    run: async (picture, width, height) => {
      seen.push(`${width} x ${height}`);
      expect(picture).toHaveLength(width * height * 3);
      const boxes = new Float32Array(4 * cells(width, height));
      const classes = new Float32Array(3 * cells(width, height)).fill(-20);
      const [red, green] = [0, 1].map((channel) => {
        const extent = { left: width, top: height, right: 0, bottom: 0, count: 0, y: 0 };
        for (let i = channel; i < picture.length; i += 3) {
          if (picture[i] < 128) continue;
          const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
          extent.left = Math.min(extent.left, x);
          extent.right = Math.max(extent.right, x + 1);
          extent.top = Math.min(extent.top, y);
          extent.bottom = Math.max(extent.bottom, y + 1);
          extent.y += y;
          extent.count += 1;
        }
        return extent;
      });
      const [left, right] = [Math.min(red.left, green.left), Math.max(red.right, green.right)];
      const [top, bottom] = [Math.min(red.top, green.top), Math.max(red.bottom, green.bottom)];
      const side = right - left;
      if (side >= 8) {
        boxes[0] = 10 * ((top + bottom) / 2 / size - 0.5);
        boxes[1] = 10 * ((left + right) / 2 / size - 0.5);
        boxes[2] = 5 * Math.log((bottom - top) / size);
        boxes[3] = 5 * Math.log(side / size);
        const upright = red.y / red.count + side / 4 < green.y / green.count;
        classes[1] = side < 26 ? -1.5 : upright ? 5 : 1;
      }
      return [boxes, classes];
    },
    dispose: () => {},
  };
}

async function detect(image: Pixels, options: DetectorOptions = {}, flexible = true) {
  const seen: string[] = [];
  const detector = createDetector(paintedNetwork(seen, flexible), { calibrated: false, ...options });
  return { faces: await detector.detect(image), seen };
}

const boxOfPainted = ({ x, y, size }: Painted): Box => ({
  x: x - 0.5,
  y: y - 0.5,
  width: size,
  height: size,
});

describe('createDetector', () => {
  it('settles a picture with one large upright face at the first look, in the shape of the picture', async () => {
    const face = { x: 300, y: 100, size: 200 };
    const { faces, seen } = await detect(paint(600, 400, [face]));
    expect(faces).toHaveLength(1);
    expect(faces[0].turn).toBeUndefined();
    expect(boxOverlap(faces[0].box, boxOfPainted(face))).toBeGreaterThan(0.95);
    expect(seen).toEqual(['192 x 128']);
  });

  it('shows square pictures to networks that take nothing else', async () => {
    const { seen } = await detect(paint(600, 400, [{ x: 300, y: 100, size: 200 }]), {}, false);
    expect(seen).toEqual(['512 x 512']);
  });

  it.each([90, 180, -90] as const)('finds a head turned by %d degrees and says how it lies', async (turn) => {
    const face = { x: 350, y: 60, size: 160, turn };
    const { faces } = await detect(paint(600, 400, [face]));
    expect(faces).toHaveLength(1);
    expect(faces[0].turn).toBe(turn);
    expect(boxOverlap(faces[0].box, boxOfPainted(face))).toBeGreaterThan(0.95);
  });

  it('shifts boxes towards the chin of turned heads', async () => {
    const image = (turn: Turn) => paint(600, 400, [{ x: 200, y: 100, size: 200, turn }]);
    const centerOf = async (turn: Turn): Promise<[number, number]> => {
      const [{ box }] = (await detect(image(turn), { calibrated: true })).faces;
      return [box.x + box.width / 2 - 299.5, box.y + box.height / 2 - 199.5];
    };
    const [x, y] = await centerOf(0);
    expect(y).toBeGreaterThan(20);
    const [x90, y90] = await centerOf(90);
    expect(x90).toBeCloseTo(-y, -1);
    expect(y90).toBeCloseTo(x, -1);
    expect((await centerOf(180))[1]).toBeCloseTo(-y, -1);
  });

  it('looks closely only at the turn that a small look shows a face in', async () => {
    const { faces, seen } = await detect(paint(300, 300, [{ x: 60, y: 60, size: 160, turn: 90 }]));
    expect(faces.map(({ turn }) => turn)).toEqual([90]);
    // A picture this small shows no more at 512 pixels than at 320.
    const small = '192 x 192';
    expect(seen).toEqual([small, '320 x 320', small, small, small, '320 x 320']);
    const larger = await detect(paint(420, 420, [{ x: 60, y: 60, size: 160, turn: 90 }]));
    expect(larger.seen).toContain('512 x 512');
  });

  it('looks closely at every turn where nothing was found', async () => {
    const face = { x: 60, y: 60, size: 32, turn: 180 } as const;
    const { faces, seen } = await detect(paint(300, 300, [face]), { minScore: 0.8 });
    expect(faces.map(({ turn }) => turn)).toEqual([180]);
    const turns = [...Array(3).fill('192 x 192'), ...Array(3).fill('320 x 320')];
    expect(seen).toEqual(['192 x 192', '320 x 320', '512 x 512', ...turns]);
  });

  it('looks at turned pictures never or always when told so', async () => {
    const turned = paint(600, 400, [{ x: 350, y: 60, size: 160, turn: 180 }]);
    const never = await detect(turned, { rotations: 'never' });
    expect(never.faces[0].turn).toBeUndefined();
    const upright = paint(600, 400, [{ x: 350, y: 60, size: 200 }]);
    const always = await detect(upright, { rotations: 'always' });
    expect(always.seen).toEqual(['192 x 128', '352 x 512', '512 x 352', '352 x 512']);
    expect(always.faces).toHaveLength(1);
  });

  it('finds small faces in large pictures in tiles, once each', async () => {
    const face = { x: 1150, y: 700, size: 80 };
    const image = paint(2400, 1600, [face]);
    const { faces } = await detect(image, { rotations: 'never' });
    expect(faces).toHaveLength(1);
    expect(boxOverlap(faces[0].box, boxOfPainted(face))).toBeGreaterThan(0.9);
    const large = await detect(image, { rotations: 'never', minFace: 400 });
    expect(large.faces).toEqual([]);
    expect(large.seen).toEqual(['192 x 128']);
  });

  it('goes as far down as minFace says', async () => {
    const face = { x: 1150, y: 700, size: 32 };
    const image = paint(2400, 1600, [face]);
    expect((await detect(image)).faces).toEqual([]);
    const { faces, seen } = await detect(image, { minFace: 30, rotations: 'never' });
    expect(faces).toHaveLength(1);
    expect(boxOverlap(faces[0].box, boxOfPainted(face))).toBeGreaterThan(0.9);
    expect(seen).toHaveLength(27);
  });

  it('says what is wrong with its options', () => {
    const network = paintedNetwork([]);
    expect(() => createDetector(network, { rotations: 'often' as never })).toThrow(
      /doubtful, always or never, got often/,
    );
    expect(() => createDetector(network, { minFace: 0 })).toThrow(
      /minFace must be pixels above 0 or null, got 0/,
    );
  });
});
