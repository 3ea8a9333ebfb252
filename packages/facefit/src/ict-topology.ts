/** Vertex numbers of ICT-FaceKit's fixed topology; the packed arrays and the original `.obj` files share them. */
export const ICT_TOPOLOGY: {
  /** Landmarks 0..16 on the true jaw line, 17..67 as published with the model. */
  readonly landmarks: readonly number[];
  /** Last vertex of the skin (face, head, neck). */
  readonly skinLast: number;
  /** First and last vertex of the front of the face. */
  readonly narrowFace: readonly [number, number];
} = {
  landmarks: [
    1278, 1272, 12, 1834, 243, 781, 2199, 1447, 966, 3661, 4390, 3022, 2484, 4036, 2253, 3490, 3496, 268, 493,
    1914, 2044, 1401, 3615, 4240, 4114, 2734, 2509, 978, 4527, 4942, 4857, 1140, 2075, 1147, 4269, 3360, 1507,
    1542, 1537, 1528, 1518, 1511, 3742, 3751, 3756, 3721, 3725, 3732, 5708, 5695, 2081, 0, 4275, 6200, 6213,
    6346, 6461, 5518, 5957, 5841, 5702, 5711, 5533, 6216, 6207, 6470, 5517, 5966,
  ],
  skinLast: 11247,
  narrowFace: [0, 6705],
};
