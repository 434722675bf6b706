import { BUILTIN_OPERATORS } from '../tflite-file/builtin-operators.ts'

const NAMES: readonly string[] = BUILTIN_OPERATORS.replace('int:', '').trim().split(/\s+/)

/** `CONV_2D`; the name of a custom operator; `operator 250` for what is newer than this table. */
export function operatorKind(builtinCode: number, customName: string | null): string {
  const name = NAMES[builtinCode]
  if (name === undefined) return `operator ${builtinCode}`
  return name === 'CUSTOM' ? (customName ?? name) : name
}
