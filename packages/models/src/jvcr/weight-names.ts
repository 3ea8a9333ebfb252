/** Places of the bottlenecks in one level of an hourglass, in the released code's order. */
const PLACES = ['skip', 'down', 'up', 'bottom'];

const NORMALIZATION: Record<string, string> = {
  weight: 'gamma',
  bias: 'beta',
  running_mean: 'moving_mean',
  running_var: 'moving_variance',
};

/** Layers of the released code and their names here; `$1`.. are numbers, shifted to count from 1. */
const LAYERS: readonly (readonly [RegExp, (...numbers: number[]) => string])[] = [
  [/^conv1$/, () => 'stem_conv'],
  [/^bn1$/, () => 'stem_bn'],
  [/^layer(\d)\.0/, (i) => `stem_residual${i}`],
  [
    /^hg\.(\d+)\.hg\.(\d+)\.(\d)\.0/,
    (i, level, place) => `stack${i + 1}_hourglass_${level + 1}_${PLACES[place]}`,
  ],
  [/^res\.(\d+)\.0/, (i) => `stack${i + 1}_residual`],
  [/^fc\.(\d+)\.0$/, (i) => `stack${i + 1}_fc`],
  [/^fc\.(\d+)\.1$/, (i) => `stack${i + 1}_fc_bn`],
  [/^score\.(\d+)$/, (i) => `stack${i + 1}_head`],
  [/^fc_\.(\d+)$/, (i) => `stack${i + 1}_feedback`],
  [/^score_\.(\d+)$/, (i) => `stack${i + 1}_head_feedback`],
  [/^encoder\.(\d+)\.0$/, (i) => `encoder_conv${i + 1}`],
  [/^encoder\.(\d+)\.1$/, (i) => `encoder_bn${i + 1}`],
  [/^fc_cord$/, () => 'coordinates'],
];

/**
 * Name of a weight here for its key in the released code's state dict.
 * @throws Error for a key that the released network does not have.
 */
export function weightNameOf(key: string): string {
  const dot = key.lastIndexOf('.');
  const [path, part] = [key.slice(0, dot), key.slice(dot + 1)];
  for (const [pattern, name] of LAYERS) {
    const match = pattern.exec(path);
    if (match === null) continue;
    const rest = path.slice(match[0].length).replace('.downsample.0', '_skip').replace('.', '_');
    const layer = `${name(...match.slice(1).map(Number))}${rest}`;
    const isNormalization = /(^|_)bn\d?$/.test(layer) || /_bn\d$/.test(layer);
    const known = isNormalization ? NORMALIZATION[part] : { weight: 'kernel', bias: 'bias' }[part];
    if (known !== undefined) return `${layer}/${known}`;
  }
  throw new Error(
    `importJvcrCheckpoint: unexpected ${key} (is it a checkpoint of the released JVCR network?)`,
  );
}
