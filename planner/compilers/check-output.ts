import { messageOf } from '../../shared/errors.ts'
import { readTflite, type TflModel } from '../formats/tflite/index.ts'
import type { CompilerName, CustomOperator } from '../targets/index.ts'
import { CompilerError } from './errors.ts'

/** What a compiled file holds beside what it is for. */
export interface CheckedOutput {
  /** How many of each kind the accelerator does not compute, by the format's name. */
  readonly left: Readonly<Record<string, number>>
  /** Pieces of the graph that it computes, each with a border in and out. */
  readonly partitions: number
}

/** @throws CompilerError `compiler-wrote-other` */
export function checkOutput(
  bytes: Uint8Array,
  compiler: CompilerName,
  customOperator: CustomOperator,
  takes: string,
): CheckedOutput {
  const model = parsed(bytes, compiler)
  const counts = countOperators(model)
  const { [customOperator]: partitions = 0, ...left } = counts
  if (partitions === 0) {
    throw new CompilerError(
      'compiler-wrote-other',
      `${compiler} compiled nothing: its file has no operator "${customOperator}", so all of the model would stay on the CPU; the accelerator takes ${takes}`,
      { operators: counts },
    )
  }
  return { left, partitions }
}

function parsed(bytes: Uint8Array, compiler: CompilerName): TflModel {
  try {
    return readTflite(bytes, `what ${compiler} wrote`)
  } catch (cause) {
    throw new CompilerError(
      'compiler-wrote-other',
      `${compiler} wrote a file that is no model: ${messageOf(cause)}`,
      {},
      { cause },
    )
  }
}

function countOperators(model: TflModel): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { opcodeIndex } of model.subgraphs.flatMap(({ operators }) => operators)) {
    const code = model.operatorCodes[opcodeIndex]
    const name = (code?.builtinCode === 'CUSTOM' ? code.customCode : code?.builtinCode) ?? 'CUSTOM'
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}
