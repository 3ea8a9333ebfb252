import {
  AFLW_21,
  FIVE_POINTS,
  IBUG_68,
  IBUG_68_TO_3DFAW_66,
  IBUG_68_TO_AFLW_21,
  IBUG_68_TO_FIVE_POINTS,
  IBUG_68_TO_INNER_51,
  INNER_51,
  type LandmarkMap,
  type LandmarkScheme,
  THREEDFAW_66,
  WFLW_98,
} from '@voxface/landmarks';
import type { DepthAlignment } from './nme.ts';
import { boxSize, interocular, interPupil, type Normalizer } from './nme.ts';
import { YAW_EDGES } from './summarize-errors.ts';

/** Everything that an error figure depends on besides the predictions. */
export interface Protocol {
  readonly name: string;
  /** Which published labels count as ground truth. */
  readonly annotation: string;
  /** Which labels of AFLW2000-3D that is; absent on other sets. */
  readonly labels?: 'original' | 'reannotated' | 'visible-21';
  /** Scheme of the landmarks that are scored. */
  readonly scheme: LandmarkScheme;
  /** Turns 68 landmarks into the scored ones; predictions may come in either scheme. */
  readonly map?: LandmarkMap;
  /** 2: z is not looked at. */
  readonly dims: 2 | 3;
  readonly normalizer: Normalizer;
  /** What the normalizer measures, in words. */
  readonly normalizedBy: string;
  readonly alignDepth: DepthAlignment;
  /** true: the prediction is first mapped onto the truth by the best similarity (CVGTCE). */
  readonly similarity: boolean;
  /** true: only landmarks flagged visible are scored. */
  readonly visibleOnly: boolean;
  /** Inner edges of the |yaw| bins, degrees; absent: no bins. */
  readonly yawEdges?: readonly number[];
  /** Named parts of the set, told by the identifier, or else by what the faces say (`ScoredFace.parts`); absent: none. */
  readonly subsets?: readonly { readonly name: string; readonly ids?: RegExp }[];
  /** Upper end of the CED, limit of AUC and failure rate; a fraction. */
  readonly limit: number;
}

const BOX_68 = 'sqrt(width x height) of the 2D box of the 68 true landmarks';
const AFLW2000: Omit<Protocol, 'name'> = {
  dims: 3,
  alignDepth: 'mean',
  annotation: 'AFLW2000-3D, original labels (pt3d_68)',
  labels: 'original',
  scheme: IBUG_68,
  normalizer: boxSize,
  normalizedBy: BOX_68,
  similarity: false,
  visibleOnly: false,
  yawEdges: YAW_EDGES,
  limit: 0.1,
};
const IBUG_300W: Omit<Protocol, 'name' | 'normalizer' | 'normalizedBy' | 'limit'> = {
  annotation: '300W, 68 points',
  scheme: IBUG_68,
  dims: 2,
  alignDepth: 'none',
  similarity: false,
  visibleOnly: false,
  subsets: [
    { name: 'common', ids: /(^|\/)(lfpw|helen)\//i },
    { name: 'challenging', ids: /(^|\/)ibug\//i },
  ],
};
const THREEDFAW: Omit<Protocol, 'name' | 'alignDepth' | 'similarity'> = {
  annotation: '3DFAW, 66 points',
  scheme: THREEDFAW_66,
  map: IBUG_68_TO_3DFAW_66,
  dims: 3,
  normalizer: interocular(THREEDFAW_66, 3),
  normalizedBy: 'distance of the true outer eye corners in space',
  visibleOnly: false,
  limit: 0.1,
};

const LIST: readonly Protocol[] = [
  { ...AFLW2000, name: 'aflw2000-3d/68/2d', dims: 2, alignDepth: 'none' },
  {
    ...AFLW2000,
    name: 'aflw2000-3d/68/2d/reannotated',
    annotation: 'AFLW2000-3D, re-annotated labels',
    labels: 'reannotated',
    dims: 2,
    alignDepth: 'none',
  },
  { ...AFLW2000, name: 'aflw2000-3d/68/3d' },
  {
    ...AFLW2000,
    name: 'aflw2000-3d/68/gte',
    normalizer: interocular(IBUG_68, 3),
    normalizedBy: THREEDFAW.normalizedBy,
  },
  {
    ...AFLW2000,
    name: 'aflw2000-3d/21-visible',
    annotation: 'AFLW, 21 points with visibility (pt2d)',
    labels: 'visible-21',
    scheme: AFLW_21,
    map: IBUG_68_TO_AFLW_21,
    dims: 2,
    alignDepth: 'none',
    visibleOnly: true,
  },
  {
    ...AFLW2000,
    name: 'aflw2000-3d/51/3d',
    scheme: INNER_51,
    map: IBUG_68_TO_INNER_51,
  },
  {
    ...AFLW2000,
    name: 'aflw2000-3d/21/3d',
    scheme: AFLW_21,
    map: IBUG_68_TO_AFLW_21,
  },
  {
    ...AFLW2000,
    name: 'aflw2000-3d/5/3d',
    scheme: FIVE_POINTS,
    map: IBUG_68_TO_FIVE_POINTS,
  },
  {
    ...IBUG_300W,
    name: '300w/interocular',
    normalizer: interocular(),
    normalizedBy: 'distance of the true outer eye corners',
    limit: 0.08,
  },
  {
    ...IBUG_300W,
    name: '300w/inter-pupil',
    normalizer: interPupil(),
    normalizedBy: 'distance of the true eye centres',
    limit: 0.08,
  },
  { ...IBUG_300W, name: '300w/box/68', normalizer: boxSize, normalizedBy: BOX_68, limit: 0.07 },
  {
    ...IBUG_300W,
    name: '300w/box/51',
    scheme: INNER_51,
    map: IBUG_68_TO_INNER_51,
    normalizer: boxSize,
    normalizedBy: BOX_68,
    limit: 0.07,
  },
  {
    ...IBUG_300W,
    name: 'wflw/interocular',
    annotation: 'WFLW, 98 points',
    subsets: 'large-pose,expression,illumination,make-up,occlusion,blur'.split(',').map((name) => ({ name })),
    scheme: WFLW_98,
    normalizer: interocular(WFLW_98),
    normalizedBy: 'distance of the true outer eye corners',
    limit: 0.1,
  },
  { ...THREEDFAW, name: '3dfaw/gte', alignDepth: 'mean', similarity: false },
  { ...THREEDFAW, name: '3dfaw/cvgtce', alignDepth: 'none', similarity: true },
];

/** Named protocols: annotation, normalizer, depth alignment, bins and limit in one word. */
export const PROTOCOLS: Readonly<Record<string, Protocol>> = Object.fromEntries(
  LIST.map((protocol) => [protocol.name, protocol]),
);

/**
 * The protocol of a name.
 * @throws RangeError listing the known names.
 */
export function findProtocol(name: string): Protocol {
  const protocol = Object.hasOwn(PROTOCOLS, name) ? PROTOCOLS[name] : undefined;
  if (!protocol) {
    throw new RangeError(
      `findProtocol: the protocol must be one of ${Object.keys(PROTOCOLS).join(', ')}, got ${name}`,
    );
  }
  return protocol;
}
