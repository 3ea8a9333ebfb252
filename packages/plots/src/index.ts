export { CED_DEFAULTS, type CedCurve, type CedOptions, cedSvg } from './ced-svg.ts';
export { SERIES_COLORS } from './chart-svg.ts';
export { hueColor, landmarkColor, type Rgb } from './color.ts';
export {
  CONTACT_SHEET_DEFAULTS,
  type ContactSheetCell,
  type ContactSheetOptions,
  contactSheet,
} from './contact-sheet.ts';
export {
  OVERLAY_DEFAULTS,
  type OverlayFace,
  type OverlayImage,
  type OverlayOptions,
  overlaySvg,
} from './overlay-svg.ts';
export { connectParts, type Segment } from './parts.ts';
export { VIEW_DEFAULTS, type ViewAngles } from './rotate-view.ts';
export {
  CLOUD_DEFAULTS,
  type CloudOptions,
  type PointCloud,
  sampleCloud,
  type VolumeShape,
} from './sample-cloud.ts';
export { THEMES, type Theme, type ThemeName } from './theme.ts';
export {
  TRAINING_CURVES_DEFAULTS,
  TRAINING_PANELS,
  type TrainingCurvesOptions,
  type TrainingPanel,
  trainingCurvesSvg,
} from './training-curves-svg.ts';
export { parseTrainingLog, type TrainingRecord } from './training-log.ts';
export { type PageFace, VIEW3D_PAGE_DEFAULTS, type View3dPageOptions, view3dPage } from './view3d-page.ts';
export {
  type NamedView,
  SHEET_VIEWS,
  VIEW3D_DEFAULTS,
  type View3dOptions,
  view3dSheetSvg,
  view3dSvg,
} from './view3d-svg.ts';
export { VOLUME_CLOUD_DEFAULTS, type VolumeCloudOptions, volumeCloudSvg } from './volume-cloud-svg.ts';
