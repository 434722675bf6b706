/** Differences up to this share are noise: measurements on one device repeat no better. */
export const NOISE = 0.05
