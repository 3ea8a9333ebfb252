import { createRandom, type Pixels } from '@voxface/landmarks';
import { describe, expect, it } from 'vitest';
import { createBrowserDetector, hasBrowserDetector, toPixels } from '../src/index.ts';

describe('pictures of the browser', () => {
  const width = 24;
  const height = 16;
  const random = createRandom(1);
  const data = Uint8ClampedArray.from({ length: width * height * 4 }, (_, i) =>
    i % 4 === 3 ? 255 : random.integer(256),
  );
  const imageData = new ImageData(data, width, height);
  const canvas = (): HTMLCanvasElement => {
    const element = Object.assign(document.createElement('canvas'), { width, height });
    element.getContext('2d')!.putImageData(imageData, 0, 0);
    return element;
  };
  const expected: Pixels = { data, width, height, channels: 4 };
  const image = async (): Promise<HTMLImageElement> => {
    const element = new Image();
    element.src = canvas().toDataURL('image/png');
    await element.decode();
    return element;
  };
  const offscreen = (): OffscreenCanvas => {
    const surface = new OffscreenCanvas(width, height);
    surface.getContext('2d')!.putImageData(imageData, 0, 0);
    return surface;
  };

  it.each([
    ['image data', async () => imageData],
    ['canvas', async () => canvas()],
    ['offscreen canvas', async () => offscreen()],
    ['image', image],
    ['bitmap', async () => createImageBitmap(canvas())],
    ['video frame', async () => new VideoFrame(canvas(), { timestamp: 0 })],
  ])('reads %s', async (_, make) => {
    const source = await make();
    const pixels = await toPixels(source);
    expect([pixels.width, pixels.height, pixels.channels]).toEqual([width, height, 4]);
    const worst = Array.from(pixels.data).reduce(
      (most, value, i) => Math.max(most, Math.abs(value - expected.data[i])),
      0,
    );
    expect(worst).toBeLessThanOrEqual(source instanceof VideoFrame ? 6 : 0);
    if (source instanceof VideoFrame) source.close();
  });

  it('says that an image is not loaded', async () => {
    await expect(toPixels(new Image())).rejects.toThrow(/no size yet, got 0 x 0/);
    await expect(toPixels(document.createElement('video'))).rejects.toThrow(/no size yet/);
  });
});

describe('createBrowserDetector', () => {
  it('maps the boxes of the native detector, or says that there is none', async () => {
    const scope = globalThis as { FaceDetector?: unknown };
    const native = scope.FaceDetector;
    scope.FaceDetector = undefined;
    expect(hasBrowserDetector()).toBe(false);
    expect(() => createBrowserDetector()).toThrow(/has no FaceDetector/);
    let given: unknown;
    scope.FaceDetector = class {
      async detect(image: unknown) {
        given = image;
        return [{ boundingBox: new DOMRect(10, 20, 30, 40) }];
      }
    };
    const detector = createBrowserDetector({ calibration: { shift: [0, 0.1], scale: [1, 0.5] } });
    const pixels: Pixels = { data: new Uint8Array(12), width: 2, height: 2, channels: 3 };
    const [face] = await detector.detect(pixels);
    expect(given).toBeInstanceOf(ImageData);
    expect(face).toEqual({ box: { x: 9.5, y: 33.5, width: 30, height: 20 }, score: 1 });
    scope.FaceDetector = native;
  });
});
