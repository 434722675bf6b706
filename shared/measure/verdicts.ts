/**
 * The worst last. `noisy`: the figures scatter; `contended`: others were at work; `throttled`: the device slowed itself
 * down; `invalid`: nothing was measured.
 */
export const PROBE_VERDICTS = ['ok', 'noisy', 'contended', 'throttled', 'invalid'] as const
export type ProbeVerdict = (typeof PROBE_VERDICTS)[number]

/** Flag of a record that decides nothing but latency: another was surely faster, so that no more answers were asked for. */
export const BEHIND = 'behind'
