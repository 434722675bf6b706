import type { QualityRecord } from '../../shared/measure/index.ts'
import type { Duel, Measured } from '../selection/index.ts'
import type { TargetName } from '../targets/index.ts'
import { type Attempt, isUsable } from './attempts.ts'
import { pairsIn } from './field-pairs.ts'
import { notBelieved } from './liars.ts'
import { measuredRow } from './measured-row.ts'
import { summarise } from './summarise.ts'

/** A candidate that goes to devices. */
export interface Entrant {
  readonly key: string
  readonly scheme: string
  readonly runtime: TargetName
  readonly bytes: number
  /** Key of float32 on the same runtime and delegate; null where there is none, its own for float32 itself. */
  readonly yardstick: string | null
  /** What it answered on this host: over the whole test set, and over the slice devices have. */
  readonly host: { readonly whole: QualityRecord; readonly slice: QualityRecord }
}

/** What all attempts say of a class. */
export interface Evidence {
  readonly measured: readonly Measured[]
  readonly duels: readonly Duel[]
  /** Devices whose records are left out, with why. */
  readonly notBelieved: ReadonlyMap<string, string>
  /** Verdicts of disturbed records that count because the operator accepts them. */
  readonly accepted: readonly string[]
}

/** @param attempts of this round, oldest first */
export function evidenceOf(
  entrants: readonly Entrant[],
  attempts: readonly Attempt[],
  acceptNoise: boolean,
): Evidence {
  const liars = notBelieved(attempts)
  const believed = attempts.filter(({ device, match }) => !liars.has(device) && match !== 'soak')
  return {
    notBelieved: liars,
    measured: entrants.flatMap((entrant) => rowOf(entrant, believed, acceptNoise) ?? []),
    accepted: [
      ...new Set(
        believed
          .filter((one) => isUsable(one, acceptNoise) && !isUsable(one, false))
          .flatMap(({ record }) => record?.verdict ?? []),
      ),
    ],
    duels: [...believed, ...pairsIn(believed)].flatMap((one) => duelOf(one, acceptNoise)),
  }
}

function rowOf(
  { key, scheme, runtime, bytes, yardstick, host }: Entrant,
  attempts: readonly Attempt[],
  acceptNoise: boolean,
): Measured | undefined {
  const records = attempts.flatMap(({ variant, device, rival, record }) =>
    variant === key && record ? [{ device, rival, record }] : [],
  )
  const summary = summarise(records, { yardstick, acceptNoise })
  return summary && measuredRow({ key, scheme, runtime, bytes, yardstick, summary, host })
}

function duelOf(attempt: Attempt, acceptNoise: boolean): Duel[] {
  const { variant: key, rival, device, record } = attempt
  if (rival === null || !record?.ratioToBaseline || !isUsable(attempt, acceptNoise)) return []
  const { p50, ci95 } = record.ratioToBaseline
  const disturbed = record.verdict !== 'ok'
  return [{ key, rival, device, ratio: { p50, ci95 }, ...(disturbed && { disturbed }) }]
}
