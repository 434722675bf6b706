import { RuntimeError } from '../errors.ts'
import { type FlatTable, rootTable } from '../tflite-file/flat-table.ts'
import { builtinOf, CODE } from '../tflite-file/operator-code.ts'

/** The custom operators in LiteRT.js (2.5.3, by the names in its binary). */
const CARRIED: readonly string[] = [
  'AudioSpectrogram',
  'Convolution2DTransposeBias',
  'MaxPoolingWithArgmax2D',
  'Mfcc',
  'NumericVerify',
  'TFLite_Detection_PostProcess',
]

/** What compilers of accelerators leave in their files, by whose delegate computes it. */
const COMPILED = new Map([
  ['ethos-u', 'Ethos-U'],
  ['edgetpu-custom-op', 'the Edge TPU'],
])

/** Field numbers of schema.fbs, and the code of custom operators. */
const MODEL = { operatorCodes: 1, subgraphs: 2 }
const SUBGRAPH = { operators: 3 }
const OPERATOR = { opcode: 0 }
const CUSTOM = 32

/** Why LiteRT.js cannot run a custom operator; null where it can. */
export function customOperatorObstacle(customCode: string): string | null {
  if (CARRIED.includes(customCode)) return null
  const accelerator = COMPILED.get(customCode)
  if (accelerator !== undefined) {
    return `"${customCode}" says that the model is compiled for ${accelerator}: it runs in a native library with that delegate only; the file that it was compiled from runs here`
  }
  return customCode.startsWith('Flex')
    ? `"${customCode}" is an operator of TensorFlow (Select), which no runtime for devices here carries: convert the model with builtin operators only`
    : `"${customCode}" is a custom operator, which no runtime for devices here carries: convert the model with builtin operators only`
}

/**
 * LiteRT.js loads a model whose custom operators it lacks, runs it, and gives out whatever lay in memory.
 * @throws RuntimeError `not-loadable`; RangeError where the bytes are no model
 */
export function refuseUnknownOperators(model: Uint8Array): void {
  for (const customCode of customOperators(rootTable(model, 'TFL3'))) {
    const obstacle = customOperatorObstacle(customCode)
    if (obstacle === null) continue
    throw new RuntimeError('not-loadable', `LiteRT cannot run this model: ${obstacle}`, {
      customCode,
    })
  }
}

/** Files name operators that they do not use, too. */
function customOperators(model: FlatTable): Set<string> {
  const codes = model.tables(MODEL.operatorCodes)
  const used = model
    .tables(MODEL.subgraphs)
    .flatMap((subgraph) => subgraph.tables(SUBGRAPH.operators))
    .map((operator) => codes[operator.uint32(OPERATOR.opcode)])
  const custom = used.filter((code) => code !== undefined && builtinOf(code) === CUSTOM)
  return new Set(custom.map((code) => code?.string(CODE.customCode) ?? ''))
}
