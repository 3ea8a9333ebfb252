/** What ships with this package, by name. */
export interface PretrainedModel {
  readonly name: string;
  readonly description: string;
}

const MODELS: readonly PretrainedModel[] = [
  {
    name: 'small',
    description:
      '68 3D landmarks where people mark them; 128-px input, 2 stacks; trained on AFW, HELEN, LFPW and AFLW',
  },
  {
    name: 'small-300w-lp',
    description:
      "the same network with the Basel face model's points, as 300W-LP and AFLW2000-3D are labelled",
  },
  {
    name: 'small-2d',
    description:
      "the same network with 300W's own points, the jaw where its contour is seen: 68 points in 2D",
  },
  {
    name: 'phone',
    description: 'as small, one stack, a third of its arithmetic and of its size: for phones and pages',
  },
];

/** The model that commands take when none is named. */
export const PRETRAINED_DEFAULT = 'small';

/**
 * Every model of this package.
 * @example
 * ```js
 * import { listPretrained, pretrainedUrl } from '@voxface/pretrained';
 *
 * console.log(listPretrained().some(({ name }) => name === 'small')); // => true
 * console.log(pretrainedUrl('small').protocol); // => file:
 * ```
 */
export function listPretrained(): readonly PretrainedModel[] {
  return MODELS;
}

/**
 * Folder of a model as a URL ending in `/`: pass it to `loadModel` (Node, through `fileURLToPath`) or to
 * `loadModelFromUrl` (browser; bundlers copy the files when they see this package's `models` folder served).
 * @throws RangeError naming the models there are.
 */
export function pretrainedUrl(name: string = PRETRAINED_DEFAULT): URL {
  if (!MODELS.some((model) => model.name === name)) {
    throw new RangeError(
      `pretrainedUrl: expected one of ${MODELS.map((model) => model.name).join(', ')}, got ${name}`,
    );
  }
  return new URL(`../models/${name}/`, import.meta.url);
}

/** Face detectors of this package, as ONNX files of face-api's networks (MIT): `ssd` is SSD MobileNet V1, thorough; `tiny` is tiny YOLO v2, fast. */
export type PretrainedDetector = 'ssd' | 'tiny';

/**
 * The ONNX file of a model as a URL: pass it to `createOnnxPredictor` of `@voxface/onnx`, with which no TensorFlow.js is
 * needed. The build writes it from the model's weights.
 * @throws RangeError naming the models there are.
 */
export function pretrainedOnnxUrl(name: string = PRETRAINED_DEFAULT): URL {
  pretrainedUrl(name);
  return built(`${name}.onnx`);
}

/** A face detector as an ONNX file: pass its URL to `createOnnxDetector` of `@voxface/onnx`. */
export function pretrainedDetectorUrl(name: PretrainedDetector = 'tiny'): URL {
  return built(`detector-${name}.onnx`);
}

/** In the built package everything lies in one folder; from source the build is the folder beside. */
function built(file: string): URL {
  const here = import.meta.url;
  return new URL(here.endsWith('.ts') ? `../dist/${file}` : `./${file}`, here);
}
