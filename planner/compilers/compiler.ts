import type { CompilerName } from '../targets/index.ts'

/** What a compiler says of its work; null where it does not tell. */
export interface Reported {
  /** As it counts them: operators of its own that it makes of the model's. */
  readonly operators: { readonly accelerator: number; readonly cpu: number } | null
  readonly sramBytes: number | null
  readonly dramBytes: number | null
  readonly flashBytes: number | null
  /** Estimates, of one inference. */
  readonly cycles: number | null
  readonly inferenceMs: number | null
}

export const NOTHING_REPORTED: Reported = {
  operators: null,
  sramBytes: null,
  dramBytes: null,
  flashBytes: null,
  cycles: null,
  inferenceMs: null,
}

export interface CompilerInput {
  /** The model, called `model.tflite`. */
  readonly model: string
  /** Folder for whatever it writes. */
  readonly out: string
  /** The accelerator, as the compiler calls it; null where it knows only one. */
  readonly configuration: string | null
}

/** A program that makes files for an accelerator: everything that driving it takes, as one row. */
export interface Compiler {
  readonly name: CompilerName
  /** What it is called on PATH. */
  readonly command: string
  /** Environment variable that names it instead. */
  readonly variable: string
  readonly versionArguments: readonly string[]
  /** In what it says to that; null where it says none. */
  version(said: string): string | null
  arguments(input: CompilerInput): readonly string[]
  /** The file it makes of `model.tflite`, inside its folder. */
  readonly output: string
  /** @param written texts that it wrote beside the model, by name */
  report(said: string, written: ReadonlyMap<string, string>): Reported
  /** How to get it, for whoever has none. */
  readonly install: string
}

/** The first number in the first line that fits; null where none does. */
export function numberIn(text: string, pattern: RegExp): number | null {
  const found = pattern.exec(text)?.[1]
  const number = found === undefined ? Number.NaN : Number(found)
  return Number.isFinite(number) ? number : null
}
