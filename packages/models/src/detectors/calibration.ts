import type { Box } from '@voxface/landmarks';

/** How a detector's box relates to the tight box of the 68 landmarks; shifts in sides of the detector's box. */
export interface BoxCalibration {
  /** Landmark box centre minus detector box centre, over the detector's width and height. */
  readonly shift: readonly [x: number, y: number];
  /** Landmark box width and height over the detector's. */
  readonly scale: readonly [width: number, height: number];
}

/** Maps a detector's box to the landmark box that it most likely belongs to. */
export function calibrateBox(box: Box, { shift, scale }: BoxCalibration): Box {
  const width = box.width * scale[0];
  const height = box.height * scale[1];
  return {
    x: box.x + box.width * (0.5 + shift[0]) - width / 2,
    y: box.y + box.height * (0.5 + shift[1]) - height / 2,
    width,
    height,
  };
}

/** Detector boxes that are landmark boxes already. */
export const NO_CALIBRATION: BoxCalibration = { shift: [0, 0], scale: [1, 1] };
