/** 0.5 → 1, -0.5 → -1: std::round, which the kernels use, not Math.round. */
export function roundHalfAway(value: number): number {
  const up = Math.floor(value + 0.5)
  // Signs of weights are no pattern that a processor could guess; a half is rare.
  return up === value + 0.5 && value < 0 ? up - 1 : up
}
