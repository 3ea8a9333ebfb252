import type { Evaluation } from './create-accumulator.ts';

/** A line of a published table. */
export interface PublishedRow {
  readonly method: string;
  /** Percent, one per column; null where the source has no figure. */
  readonly values: readonly (number | null)[];
  /** Where the line was read, if not in the table's own source. */
  readonly source?: string;
}

/** A published table as data; fits `formatReport` where the columns agree. */
export interface PublishedTable {
  /** Such as `IV-68` for the 68-point half of Table IV. */
  readonly name: string;
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly PublishedRow[];
  readonly source: string;
  /** Name of the protocol that gives comparable figures, see `PROTOCOLS`. */
  readonly protocol?: string;
}

const SOURCE =
  'Zhang, Li, Sun: Adversarial Learning Semantic Volume for 2D/3D Face Shape Regression in the Wild, IEEE TIP 28(9), 2019';
const BINS = ['[0, 30]', '[30, 60]', '[60, 90]', 'mean', 'std'] as const;
const VOLUMES = ['compact', 'semantic'] as const;

type Line = readonly [method: string, ...values: (number | null)[]];

function table(
  name: string,
  caption: string,
  columns: readonly string[],
  lines: readonly Line[],
  protocol?: string,
): PublishedTable {
  const rows = lines.map(([method, ...values]) => ({ method, values }));
  return {
    name,
    caption,
    columns,
    rows,
    source: `${SOURCE}, Table ${name.split('-')[0]}`,
    ...(protocol ? { protocol } : {}),
  };
}

/**
 * Tables I to IX. In Tables IV and VIII mean and std are those of the three bins (unweighted, divided by 2); Table III
 * averages over images.
 */
const PAPER_TABLES: readonly PublishedTable[] = [
  table(
    'I',
    'GTE on the validation set of 3DFAW',
    ['GTE'],
    [
      ['SDM+3DMM', 6.34],
      ['Gou et al.', 5.9],
      ['Bulat et al.', 4.94],
      ['JVCR', 4.36],
      ['Zhang et al. 2019', 4.07],
    ],
    '3dfaw/gte',
  ),
  table(
    'II',
    'CVGTCE and GTE on the test set of 3DFAW',
    ['CVGTCE', 'GTE'],
    [
      ['Zavan et al.', 5.9, 10.8],
      ['Gou et al.', 4.94, 6.2],
      ['Zhao et al.', 3.97, 5.88],
      ['Bulat et al.', 3.47, 4.56],
      ['Tulyakov et al.', 3.8, 5.1],
      ['JVCR', 3.46, 4.35],
      ['Zhang et al. 2019', 3.29, 4.24],
    ],
  ),
  table(
    'III',
    '3D NME on AFLW2000-3D, mean over images',
    ['NME'],
    [
      ['3DDFA', 7.51],
      ['DeFA', 6.23],
      ['3D-FAN', 5.24],
      ['PRN', 4.7],
      ['JVCR', 4.39],
      ['Zhang et al. 2019', 4.11],
    ],
    'aflw2000-3d/68/3d',
  ),
  table(
    'IV-21',
    '2D NME on AFLW2000-3D, 21 points, visible only; the older lines probably come from AFLW',
    BINS,
    [
      ['RCPR', 5.43, 6.58, 11.53, 7.85, 3.24],
      ['ESR', 5.66, 7.12, 11.94, 8.24, 3.29],
      ['SDM', 4.75, 5.55, 9.34, 6.55, 2.45],
      ['3DDFA', 5, 5.06, 6.74, 5.6, 0.99],
      ['3DDFA+SDM', 4.75, 4.83, 6.38, 5.32, 0.92],
      ['Yu et al.', 5.94, 6.48, 7.96, 6.79, 1.05],
      ['3DSTN', 3.55, 3.92, 5.21, 4.23, 0.87],
      ['RDR', 3.63, 4.29, 5.31, 4.41, 0.85],
      ['HyperFace', 3.93, 4.14, 4.71, 4.26, 0.41],
      ['3D-FAN', 3.44, 3.76, 4.27, 3.82, 0.42],
      ['PRN', 3.8, 4.1, 4.95, 4.28, 0.59],
      ['JVCR', 3.74, 4.02, 4.82, 4.19, 0.56],
      ['Zhang et al. 2019', 3.46, 3.84, 4.44, 3.91, 0.49],
    ],
    'aflw2000-3d/21-visible',
  ),
  table(
    'IV-68',
    '2D NME on AFLW2000-3D, 68 points',
    BINS,
    [
      ['RCPR', 4.26, 5.96, 13.18, 7.8, 4.74],
      ['ESR', 4.6, 6.7, 12.67, 7.99, 4.19],
      ['SDM', 3.67, 4.94, 9.76, 6.12, 3.21],
      ['3DDFA', 3.78, 4.54, 7.93, 5.42, 2.21],
      ['3DDFA+SDM', 3.43, 4.24, 7.17, 4.94, 1.97],
      ['Yu et al.', 3.62, 6.06, 9.56, 6.41, 2.99],
      ['3DSTN', 3.15, 4.33, 5.98, 4.49, 1.42],
      ['3D-FAN', 2.77, 3.48, 4.6, 3.62, 0.92],
      ['DenseFA', null, null, null, 4.5, null],
      ['PRN', 2.75, 3.51, 4.61, 3.62, 0.94],
      ['JVCR', 2.94, 3.46, 4.53, 3.64, 0.81],
      ['Zhang et al. 2019', 2.69, 3.08, 4.15, 3.31, 0.76],
    ],
    'aflw2000-3d/68/2d',
  ),
  table('V', '3D NME on AFLW2000-3D by stacks and depths', VOLUMES, [
    ['1 [64]', 4.52, 4.41],
    ['2 [1, 64]', 4.4, 4.34],
    ['3 [1, 2, 64]', 4.38, 4.31],
    ['3 [1, 4, 64]', 4.37, 4.32],
    ['4 [1, 2, 4, 64]', 4.29, 4.25],
    ['4 [1, 4, 16, 64]', 4.31, 4.3],
    ['6 [1, 2, 4, 8, 16, 64]', 4.3, 4.26],
    ['8 [1, 2, 4, 8, 16, 32, 64, 64]', 4.31, 4.28],
  ]),
  table('VI', '3D NME on AFLW2000-3D by number of landmarks, all by the box of 68', VOLUMES, [
    ['5', 3.54, 3.33],
    ['21', 4.09, 3.95],
    ['51', 3.61, 3.5],
    ['68', 4.29, 4.25],
  ]),
  table(
    'VII',
    '3D NME on AFLW2000-3D by sigma and colours',
    ['sorted', 'random'],
    [
      ['0.5', 4.4, 4.44],
      ['1', 4.25, 4.26],
      ['2', 4.28, 4.27],
      ['5', 4.24, 4.25],
    ],
  ),
  table(
    'VIII',
    '2D NME on AFLW2000-3D by training strategy',
    BINS,
    [
      ['Baseline', 2.89, 3.43, 4.35, 3.56, 0.74],
      ['Baseline-mix', 2.78, 3.35, 4.29, 3.47, 0.76],
      ['Adversarial', 2.69, 3.08, 4.15, 3.31, 0.76],
    ],
    'aflw2000-3d/68/2d',
  ),
  table(
    'IX',
    '3D NME on AFLW2000-3D by training scheme',
    ['NME'],
    [
      ['One-stage', 5.82],
      ['Two-stage', 4.25],
    ],
    'aflw2000-3d/68/3d',
  ),
];

const SYNERGY = 'table of the SynergyNet paper (3DV 2021)';

/** Results that the paper does not have, each with its source; figures that nobody verified are left out. */
const LATER_TABLES: readonly PublishedTable[] = [
  {
    name: 'later-68-2d',
    caption: '2D NME on AFLW2000-3D, 68 points, original labels, other publications',
    columns: BINS,
    source: 'see each line',
    protocol: 'aflw2000-3d/68/2d',
    rows: [
      {
        method: '3DDFA (TPAMI)',
        values: [2.84, 3.57, 4.96, 3.79, null],
        source: 'SynergyNet repository, demo/alignment.png',
      },
      { method: '3D-FAN, as re-run', values: [3.16, 3.53, 4.6, 3.76, null], source: SYNERGY },
      { method: '2DASL', values: [2.75, 3.46, 4.45, 3.55, null], source: SYNERGY },
      {
        method: '3DDFA, phase1_wpdc_vdc',
        values: [null, null, null, 4.252, 0.976],
        source: '3DDFA repository, README (std divides by 3)',
      },
      { method: '3DDFA_V2 (MR)', values: [2.75, 3.49, 4.53, 3.59, null], source: SYNERGY },
      { method: '3DDFA_V2 (MRS)', values: [2.63, 3.42, 4.48, 3.51, null], source: SYNERGY },
      { method: 'SADRNet', values: [null, null, null, 3.46, null], source: 'paperswithcode' },
      { method: 'SynergyNet', values: [2.65, 3.3, 4.27, 3.41, null], source: SYNERGY },
      {
        method: 'SynergyNet, as re-run',
        values: [2.656, 3.316, 4.268, null, null],
        source: 'Hikaylee/SynergyNet repository, README',
      },
      {
        method: 'SDU Hourglass2-CAB-3D',
        values: [null, null, null, 3.005, null],
        source: 'deep-face-alignment repository, README; labels not stated',
      },
      {
        method: 'SDU SAT2-CAB-3D',
        values: [null, null, null, 3.072, null],
        source: 'deep-face-alignment repository, README; labels not stated',
      },
    ],
  },
  {
    name: 'later-68-2d-image-mean',
    caption: '2D NME on AFLW2000-3D, 68 points, original labels, mean over images',
    columns: ['NME'],
    source: 'see each line',
    rows: [{ method: 'PRNet', values: [3.26], source: 'PRNet repository, issue 145' }],
  },
  {
    name: 'later-68-2d-reannotated',
    caption: '2D NME on AFLW2000-3D, 68 points, re-annotated labels',
    columns: ['NME'],
    source: 'paperswithcode',
    rows: [{ method: 'SynergyNet', values: [2.65] }],
  },
  {
    name: 'later-68-gte',
    caption: 'GTE on AFLW2000-3D, 68 points',
    columns: ['GTE'],
    source: 'paperswithcode',
    protocol: 'aflw2000-3d/68/gte',
    rows: [{ method: 'JVCR', values: [7.28] }],
  },
  {
    name: 'later-dense-3d',
    caption: '3D NME on AFLW2000-3D, about 45 000 vertices',
    columns: ['NME'],
    source: 'see each line',
    rows: [
      { method: 'DeFA', values: [6.04], source: 'wizwand' },
      { method: 'SADRNet', values: [4.02], source: 'wizwand' },
      { method: 'DSFNet', values: [3.8], source: 'abstract of the DSFNet paper' },
    ],
  },
  {
    name: '300w-interocular',
    caption: '2D NME on 300W, 68 points, by the distance of the outer eye corners',
    columns: ['common', 'challenging', 'full'],
    source: 'see each line',
    protocol: '300w/interocular',
    rows: [
      { method: 'LAB', values: [null, null, 3.49], source: 'repository, README' },
      { method: 'HRNetV2-W18', values: [2.91, 5.11, 3.34], source: 'repository, README' },
      { method: 'AWing', values: [2.72, 4.52, 3.07], source: 'wizwand' },
      { method: 'PIPNet R18', values: [null, null, 3.36], source: 'torchlm' },
      { method: 'PIPNet R101', values: [null, null, 3.19], source: 'torchlm' },
      { method: 'SPIGA', values: [2.59, 4.66, 2.99], source: 'repository, README' },
      { method: 'STAR', values: [2.52, 4.32, 2.87], source: 'paperswithcode' },
      { method: 'Fake it till you make it', values: [3.09, 4.86, null], source: 'paperswithcode' },
    ],
  },
];

/** Tables I to IX of the paper and later results, by name. */
export const PUBLISHED: Readonly<Record<string, PublishedTable>> = Object.fromEntries(
  [...PAPER_TABLES, ...LATER_TABLES].map((table) => [table.name, table]),
);

/** The tables whose figures a protocol can be compared with. */
export function findPublished(protocol: string): PublishedTable[] {
  return Object.values(PUBLISHED).filter((table) => table.protocol === protocol);
}

/** A line of one's own to be set under a published table. */
export interface OwnRow {
  readonly method: string;
  /** Percent, one per column; null where there is no figure. */
  readonly values: readonly (number | null)[];
  /** The published line that it is compared with; the table's last line if omitted, which is the paper's own method in Tables I to IV. */
  readonly against?: string;
}

/**
 * A published table as Markdown with rows of one's own under it, each figure with its difference from the published
 * line that it stands against: `4.95 (+0.84)` in percent points, negative where the own figure is better.
 * @throws RangeError when a row has other columns than the table, or there is no line to compare it with.
 * @example
 * ```js
 * import { findPublished, formatPublished } from '@voxface/metrics/published';
 *
 * const [table] = findPublished('aflw2000-3d/68/3d');
 * const values = table.columns.map(() => 4.5);
 * console.log(formatPublished(table, [{ method: 'mine', values }]).split('\n')[10]); // => | **mine** | 4.50 (+0.39) |
 * ```
 */
export function formatPublished(table: PublishedTable, own: readonly OwnRow[]): string {
  const { name, caption, columns, rows, source } = table;
  const cell = (value: number | null): string => (value === null ? '-' : value.toFixed(2));
  const lines = own.map(({ method, values, against = rows[rows.length - 1].method }) => {
    const line = rows.find((row) => row.method === against);
    if (line === undefined || values.length !== columns.length) {
      throw new RangeError(
        `formatPublished: ${name} has the columns ${columns.join(', ')} and the lines ${rows.map((row) => row.method).join(', ')}, got ${values.length} values against ${against}`,
      );
    }
    return [method, ...values.map((value, i) => withDifference(cell(value), value, line.values[i]))];
  });
  const cells = [
    ['', ...columns],
    ['---', ...columns.map(() => '---:')],
    ...rows.map(({ method, values }) => [method, ...values.map(cell)]),
    ...lines.map(([method, ...values]) => [`**${method}**`, ...values]),
  ];
  const title = /^[IVX]/.test(name) ? `Table ${name}: ${caption}` : caption;
  return `${title} (%)\n\n${cells.map((line) => `| ${line.join(' | ')} |`).join('\n')}\n\nSource: ${source}. In brackets: difference from the published line.\n`;
}

function withDifference(text: string, value: number | null, published: number | null): string {
  if (value === null || published === null) return text;
  const difference = value - published;
  return `${text} (${difference < 0 ? '-' : '+'}${Math.abs(difference).toFixed(2)})`;
}

/**
 * The figures of an evaluation in a table's columns, percent: bins of |yaw| with mean and std, parts of 300W, or the
 * mean over images.
 */
export function publishedValues({ columns }: PublishedTable, evaluation: Evaluation): (number | null)[] {
  const { bins, binMean, binStd, nme, subsets } = evaluation;
  const percent = (value: number | null | undefined): number | null =>
    value === null || value === undefined ? null : 100 * value;
  if (columns.length === 1) return [percent(nme.mean)];
  if (columns.includes('full')) {
    const part = (name: string): number | null =>
      percent(subsets.find((subset) => subset.name === name)?.nme.mean);
    return columns.map((name) => (name === 'full' ? percent(nme.mean) : part(name)));
  }
  return [...bins.map(({ mean }) => percent(mean)), percent(binMean), percent(binStd)];
}
