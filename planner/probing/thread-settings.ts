import type { ProbeRecord } from '../../shared/measure/index.ts'
import type { Attempt } from './attempts.ts'

/** With how many threads, and on which cores, a variant is run. */
export interface ThreadSetting {
  readonly threads: number
  /** Null: wherever the system puts it. */
  readonly cores: readonly number[] | null
}

/**
 * The setting that suits a variant on a device: what it found best itself, else what most devices of the class did.
 * Undefined where nobody tried.
 */
export function settingOf(
  attempts: readonly Pick<Attempt, 'variant' | 'device' | 'record'>[],
  variant: string,
  device: string,
): ThreadSetting | undefined {
  const tried = attempts.flatMap((one) =>
    one.variant === variant && one.record?.tried ? [{ ...one, record: one.record }] : [],
  )
  const own = tried.findLast((one) => one.device === device)
  if (own) return settingIn(own.record)
  const found = tried.map(({ record }) => settingIn(record))
  const votes = (one: ThreadSetting) =>
    found.filter(({ threads }) => threads === one.threads).length
  const [first] = [...found].sort((a, b) => votes(b) - votes(a) || a.threads - b.threads)
  // Which cores are the large ones is another device's to say.
  return first && { threads: first.threads, cores: null }
}

function settingIn({ threads, cores }: ProbeRecord): ThreadSetting {
  return { threads, cores: cores ?? null }
}
