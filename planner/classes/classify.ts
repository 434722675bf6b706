import { Lru } from '../../shared/lru.ts'
import { ARCHITECTURES, type HardwareReport } from '../../shared/messages/index.ts'
import { isOneOf } from '../../shared/open-words.ts'
import { CHECKS, CLAIMS, type Verdict } from './criteria.ts'
import type { Profile } from './profile.ts'

export interface Rejection {
  /** Id of the profile. */
  readonly profile: string
  readonly reason: string
}

export interface ClassMatch {
  /** Devices of one class may share variants. The profile's id, or `unknown-<architecture>`. */
  readonly class: string
  /** null for an unknown class. */
  readonly profile: Profile | null
  /** Why this class, one clause each; false claims come first. */
  readonly reasons: readonly string[]
  readonly rejected: readonly Rejection[]
}

/**
 * The class of a device: the best profile (priority, then id) whose claim fits and whose checks all hold.
 * A board that claims a profile but contradicts its checks falls to a generic profile, or to unknown, and the
 * reasons say so. Pure; equal inputs give equal answers, in whatever order the profiles come.
 */
export function classify(report: HardwareReport, profiles: readonly Profile[]): ClassMatch {
  const trials = [...profiles]
    .sort(bestFirst)
    .map((profile) => ({ profile, ...tryOn(profile, report) }))
  const chosen = trials.find((trial) => trial.outcome === 'fits')
  const distrusted = trials
    .filter((trial) => trial.outcome === 'contradicted')
    .map((trial) => `not ${trial.profile.id}: ${trial.reason}`)
  const rejected = trials
    .filter((trial) => trial !== chosen)
    .map(({ profile, outcome, reason }) => ({
      profile: profile.id,
      reason: outcome === 'fits' ? `fits too, but ${chosen?.profile.id} comes first` : reason,
    }))
  if (chosen === undefined) return unknown(report, distrusted, rejected)
  return {
    class: chosen.profile.id,
    profile: chosen.profile,
    reasons: [...distrusted, chosen.reason],
    rejected,
  }
}

/** Boards that are remembered: a fleet has few, and every birth tells of one. */
const KEPT = 512

/** The same for many reports: those that say the same of what profiles look at are judged once. */
export function classifierOf(profiles: readonly Profile[]): (report: HardwareReport) => ClassMatch {
  const known = new Lru<string, ClassMatch>(KEPT)
  return (report) => {
    // All that criteria see of a report (`Seen` of criteria.ts).
    const { architecture, board, cpu, memory } = report
    const seen = JSON.stringify([architecture, board, cpu, memory.totalBytes])
    const before = known.get(seen)
    if (before) return before
    const match = classify(report, profiles)
    known.set(seen, match)
    return match
  }
}

function bestFirst(a: Profile, b: Profile): number {
  return b.priority - a.priority || (a.id < b.id ? -1 : 1)
}

interface Trial {
  readonly outcome: 'fits' | 'unclaimed' | 'lacking' | 'contradicted'
  readonly reason: string
}

function tryOn(profile: Profile, report: HardwareReport): Trial {
  const judge = (criteria: typeof CLAIMS): Verdict[] =>
    criteria.map((criterion) => criterion(profile.identify, report)).filter((v) => v !== null)
  const claims = judge(CLAIMS)
  const checks = judge(CHECKS)
  const claim = claims.find((verdict) => verdict.holds)
  if (claims.length > 0 && claim === undefined) {
    return { outcome: 'unclaimed', reason: joined(claims) }
  }
  const failed = checks.filter((verdict) => !verdict.holds)
  if (failed.length > 0) {
    if (claim === undefined) return { outcome: 'lacking', reason: joined(failed) }
    return { outcome: 'contradicted', reason: `${claim.text}, but ${joined(failed)}` }
  }
  return { outcome: 'fits', reason: joined(claim === undefined ? checks : [claim, ...checks]) }
}

function joined(verdicts: readonly Verdict[]): string {
  return verdicts.map((verdict) => verdict.text).join(', ')
}

function unknown(
  report: HardwareReport,
  distrusted: readonly string[],
  rejected: readonly Rejection[],
): ClassMatch {
  const { architecture, board, cpu } = report
  const name = board.model ?? board.compatible[0] ?? 'a board without a name'
  const reason = `no profile fits ${name} with CPU "${cpu.model}" (${architecture}): add one with --profiles`
  return {
    // A device that makes up architectures makes no classes.
    class: `unknown-${isOneOf(ARCHITECTURES, architecture) ? architecture : 'other'}`,
    profile: null,
    reasons: [...distrusted, reason],
    rejected,
  }
}
