/** See `wiring.mjs`. */
export const WIRING: readonly { name: string; file: string; from: string; to: string }[];
