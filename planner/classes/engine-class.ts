import { digestOf } from '../../shared/digest.ts'
import { acceleratorOf, type EngineEntry } from '../../shared/messages/index.ts'
import { baseClass, CLASS_SEPARATOR } from '../../shared/trust/index.ts'
import type { Profile } from './profile.ts'

/** Digits of a digest that tell engine sets of one name apart. */
const DIGITS = 8
/** Of the names in a class's own name. */
const MOST_LETTERS = 48

/**
 * Devices with other libraries or delegates are another class: what is measured with one says nothing of the other, and
 * a library that is replaced is measured anew. Runtimes that come with the agent make no class of their own: everybody
 * of a version has the same.
 */
export function engineClass(profileClass: string, engines: readonly EngineEntry[]): string {
  const native = engines.filter(({ library }) => library !== undefined)
  if (native.length === 0) return profileClass
  const facts = native.map(({ name, library, delegates = [], device = null }) => [
    name,
    library?.digest,
    delegates.map((one) => [one.name, one.digest, Object.entries(one.options).sort()]),
    device,
  ])
  const names = native.map((engine) => {
    const accelerator = acceleratorOf(engine)
    return accelerator === null ? engine.name : `${engine.name}.${accelerator}`
  })
  const digest = digestOf(JSON.stringify(facts.map((one) => JSON.stringify(one)).sort()))
  const name = [...new Set(names)]
    .sort()
    .join('.')
    .replace(/[^\w.-]/g, '-')
    .slice(0, MOST_LETTERS)
  return `${profileClass}${CLASS_SEPARATOR}${name}-${digest.slice(0, DIGITS)}`
}

/** The profile that a class of devices is of, whatever its engines. */
export function profileOf(
  profiles: readonly Profile[],
  className: string | null,
): Profile | undefined {
  if (className === null) return undefined
  const base = baseClass(className)
  return profiles.find(({ id }) => id === base)
}
