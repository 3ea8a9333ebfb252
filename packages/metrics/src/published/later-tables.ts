import type { PublishedTable } from './tables.ts';

const BINS = ['[0, 30]', '[30, 60]', '[60, 90]', 'mean', 'std'] as const;
const SYNERGY = 'table of the SynergyNet paper (3DV 2021)';

/** Results that the paper does not have, each with its source; figures that nobody verified are left out. */
export const LATER_TABLES: readonly PublishedTable[] = [
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
