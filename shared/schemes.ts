import { UsageError } from './errors.ts'

/** How numbers are stored (w: weights) and computed (a: activations). */
export const BASE_SCHEMES = {
  float32: { weights: 'float32', activations: 'float32', calibrated: false },
  float16: { weights: 'float16', activations: 'float32', calibrated: false },
  'dynamic-w8': { weights: 'int8', activations: 'dynamic', calibrated: false },
  'static-w8a8': { weights: 'int8', activations: 'int8', calibrated: true },
  'static-w8a16': { weights: 'int8', activations: 'int16', calibrated: true },
  'weight-w8': { weights: 'int8', activations: 'float32', calibrated: false },
  'weight-w4-b32': { weights: 'int4', activations: 'float32', calibrated: false },
} as const

export type BaseScheme = keyof typeof BASE_SCHEMES

/** Suffixes in the order in which a name carries them. */
export const SCHEME_SUFFIXES = {
  u8s8: 'uint8 activations, int8 weights',
  s8s8: 'int8 activations, int8 weights',
  rr: 'weights whose sums of two fit 16 bits, for x86 without VNNI',
  io8: 'int8 model input and output',
  iou8: 'uint8 model input and output',
  mixed: 'some operators left in float',
} as const

export type SchemeSuffix = keyof typeof SCHEME_SUFFIXES

export interface Scheme {
  readonly base: BaseScheme
  readonly suffixes: readonly SchemeSuffix[]
}

const suffixOrder = Object.keys(SCHEME_SUFFIXES) as SchemeSuffix[]
const basesLongestFirst = (Object.keys(BASE_SCHEMES) as BaseScheme[]).sort(
  (a, b) => b.length - a.length,
)

export function printScheme(scheme: Scheme): string {
  const ordered = suffixOrder.filter((suffix) => scheme.suffixes.includes(suffix))
  return [scheme.base, ...ordered].join('-')
}

/** @throws UsageError naming the known schemes. */
export function parseScheme(name: string): Scheme {
  const base = basesLongestFirst.find((known) => name === known || name.startsWith(`${known}-`))
  if (base === undefined) throw unknownScheme(name)
  const rest = name.slice(base.length + 1)
  const suffixes = rest === '' ? [] : (rest.split('-') as SchemeSuffix[])
  const scheme: Scheme = { base, suffixes }
  const legal = suffixes.every((suffix) => suffixOrder.includes(suffix))
  if (!legal || printScheme(scheme) !== name) throw unknownScheme(name)
  if (!suffixes.every((suffix) => takes(base, suffix))) throw unknownScheme(name)
  return scheme
}

/** Quantized activations are where the suffixes make a difference; dynamic ones are the kernel's own. */
function takes(base: BaseScheme, suffix: SchemeSuffix): boolean {
  const { calibrated, activations } = BASE_SCHEMES[base]
  return calibrated || (activations === 'dynamic' && suffix === 'rr')
}

export function hasSuffix(scheme: Scheme, suffix: SchemeSuffix): boolean {
  return scheme.suffixes.includes(suffix)
}

function unknownScheme(name: string): UsageError {
  const bases = Object.keys(BASE_SCHEMES).join(', ')
  return new UsageError(
    `unknown scheme "${name}": use one of ${bases}; static schemes take the suffixes ${suffixOrder.map((s) => `-${s}`).join(' ')} in this order, dynamic-w8 takes -rr`,
    { name },
  )
}
