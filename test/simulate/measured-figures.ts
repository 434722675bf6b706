import type { ProbeRecord } from '../../shared/measure/index.ts'

/** How fast a file runs, by its digest: the same on every device of every run, so that one of them is the best. */
export function speedOf(digest: string): number {
  return 1 + Number.parseInt(digest.slice(0, 4), 16) / 65_536
}

/** A clean record of a probe, made up: nothing is measured in a simulation. */
export function madeUpRecord(
  artifact: string,
  baseline: string | undefined,
  { samples, jitter, isLiar }: { samples: number; jitter: number; isLiar: boolean },
): ProbeRecord {
  // Ten times off those of all others: what `liars` is there to see.
  const p50Ms = 4 * speedOf(artifact) * jitter * (isLiar ? 0.01 : 1)
  const ratio = baseline === undefined ? null : speedOf(artifact) / speedOf(baseline)
  return {
    probeVersion: 1,
    threads: 1,
    loadMs: 10,
    firstMs: 2 * p50Ms,
    latency: {
      n: 200,
      p50Ms,
      p50Ci95: [0.99 * p50Ms, 1.01 * p50Ms],
      p90Ms: null,
      p99Ms: null,
      minMs: 0.9 * p50Ms,
      meanMs: p50Ms,
    },
    ratioToBaseline: ratio === null ? null : { p50: ratio, ci95: [0.99 * ratio, 1.01 * ratio] },
    peakMemoryBytes: 50e6,
    quality: { samples, accuracy: null, agreement: 1, sqnrDb: 40 },
    flags: [],
    verdict: 'ok',
  }
}
