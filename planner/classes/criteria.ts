import type { HardwareReport } from '../../shared/messages/index.ts'
import { formatBytes } from '../../shared/units.ts'
import type { Profile } from './profile.ts'

type Identify = Profile['identify']

/** One law of a profile held against a report. */
export interface Verdict {
  readonly holds: boolean
  /** What was seen, as a clause: `its device tree says raspberrypi,4-model-b`. */
  readonly text: string
}

/** `null`: the profile has no such law. */
type Criterion = (identify: Identify, report: Seen) => Verdict | null

/** All that a law may look at: reports that are alike in this are of one class. */
export type Seen = Pick<HardwareReport, 'architecture' | 'board' | 'cpu'> & {
  readonly memory: Pick<HardwareReport['memory'], 'totalBytes'>
}

/** What a device says of itself, and could say falsely. One that fits is enough. */
export const CLAIMS: readonly Criterion[] = [
  function saysCompatible({ compatible }, { board }) {
    if (compatible === undefined) return null
    const seen = board.compatible.find((name) => compatible.includes(name))
    return seen === undefined
      ? no(`its device tree names none of ${compatible.join(', ')}`)
      : yes(`its device tree says ${seen}`)
  },
  function saysBoardModel({ boardModel }, { board }) {
    if (boardModel === undefined) return null
    const fits = boardModel.some((pattern) => fitsOne(board.model, pattern))
    return { holds: fits, text: `its name is ${board.model ?? 'unknown'}` }
  },
  function saysDmi({ dmi }, { board }) {
    if (dmi === undefined) return null
    const fits = dmi.some((d) => fitsOne(board.vendor, d.vendor) && fitsOne(board.model, d.model))
    const seen = [board.vendor, board.model].filter((name) => name !== null).join(' ')
    return board.source === 'dmi' && fits
      ? yes(`its DMI says ${seen}`)
      : no(`its DMI says ${seen === '' ? 'nothing' : seen}`)
  },
  function saysCpuModel({ cpuModel }, { cpu }) {
    if (cpuModel === undefined) return null
    const fits = cpuModel.some((pattern) => fitsPattern(cpu.model, pattern))
    return { holds: fits, text: `its CPU is "${cpu.model}"` }
  },
]

/** What must not contradict the claim. All must hold. */
export const CHECKS: readonly Criterion[] = [
  function runsArchitecture({ architecture }, report) {
    return report.architecture === architecture
      ? yes(`it runs ${architecture}`)
      : no(`it runs ${report.architecture}, not ${architecture}`)
  },
  function hasCores({ cpuParts }, { cpu }) {
    if (cpuParts === undefined) return null
    const seen = cpu.parts.map(({ implementer, part }) => `${implementer}/${part}`)
    if (seen.length === 0) return no(`it names no CPU cores, expected ${cpuParts.join(', ')}`)
    const strange = seen.filter((pair) => !cpuParts.includes(pair))
    return strange.length === 0
      ? yes(`its cores are ${cpu.model}`)
      : no(`its cores are ${strange.join(', ')}, expected ${cpuParts.join(', ')}`)
  },
  function hasAllFeatures({ features: { all } }, { cpu }) {
    if (all.length === 0) return null
    const missing = all.filter((feature) => !cpu.features.includes(feature))
    return missing.length === 0
      ? yes(`its CPU has ${all.join(', ')}`)
      : no(`its CPU lacks ${missing.join(', ')}`)
  },
  function hasAnyFeature({ features: { any } }, { cpu }) {
    if (any.length === 0) return null
    const present = any.filter((feature) => cpu.features.includes(feature))
    return present.length > 0
      ? yes(`its CPU has ${present.join(', ')}`)
      : no(`its CPU has none of ${any.join(', ')}`)
  },
  function hasNoFeature({ features: { none } }, { cpu }) {
    if (none.length === 0) return null
    const present = none.filter((feature) => cpu.features.includes(feature))
    return present.length === 0
      ? yes(`its CPU has no ${none.join(', ')}`)
      : no(`its CPU has ${present.join(', ')}`)
  },
  function hasMemory({ memoryBytes }, { memory }) {
    if (memoryBytes === undefined) return null
    const { min = 0, max = Number.POSITIVE_INFINITY } = memoryBytes
    const within = memory.totalBytes >= min && memory.totalBytes <= max
    const seen = formatBytes(memory.totalBytes)
    return within
      ? yes(`it has ${seen} of memory`)
      : no(`it has ${seen} of memory, out of the profile's range`)
  },
]

function yes(text: string): Verdict {
  return { holds: true, text }
}

function no(text: string): Verdict {
  return { holds: false, text }
}

function fitsOne(value: string | null, pattern: string | undefined): boolean {
  return pattern === undefined || (value !== null && fitsPattern(value, pattern))
}

/** Pieces between the stars must follow each other: linear, whatever a device writes into its name. */
export function fitsPattern(value: string, pattern: string): boolean {
  const pieces = pattern.toLowerCase().split('*')
  const text = value.toLowerCase()
  const first = pieces[0] ?? ''
  const last = pieces.at(-1) ?? ''
  if (pieces.length === 1) return text === first
  if (!text.startsWith(first) || text.length < first.length + last.length) return false
  let from = first.length
  for (const piece of pieces.slice(1, -1)) {
    const at = text.indexOf(piece, from)
    if (at < 0) return false
    from = at + piece.length
  }
  return text.endsWith(last) && text.length - last.length >= from
}
