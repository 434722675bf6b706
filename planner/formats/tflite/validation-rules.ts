import type { TflModel } from './model.ts'
import { outOfOrder } from './order.ts'
import {
  badDims,
  brokenQuantization,
  constantSize,
  ofOperators,
  ofSubgraphs,
  ofTensors,
  outOfRange,
  subgraphReferences,
  type Violation,
} from './violations.ts'

/** What holds in every usable model beyond the grammar of the file. */
export interface ValidationRule {
  code: string
  /** `error`: the model cannot be used; `warning`: runtimes live with it. */
  severity: 'warning' | 'error'
  violations(model: TflModel): Iterable<Violation>
}

const SCHEMA_VERSION = 3
const NO_VIOLATIONS: readonly Violation[] = []

/** Errors are what LiteRT 2.3 refuses to load (tried), indices that lead nowhere, and numbers that are not there. */
export const VALIDATION_RULES: readonly ValidationRule[] = [
  {
    code: 'schema-version',
    severity: 'error',
    *violations({ version }) {
      if (version === SCHEMA_VERSION) return
      yield { where: 'version', problem: `is ${version}; runtimes load version ${SCHEMA_VERSION}` }
    },
  },
  {
    code: 'no-subgraph',
    severity: 'error',
    *violations({ subgraphs }) {
      if (subgraphs.length === 0) yield { where: 'subgraphs', problem: 'is empty: no graph to run' }
    },
  },
  {
    code: 'operator-code',
    severity: 'error',
    violations: (model) =>
      ofOperators(model, ({ opcodeIndex }, where) =>
        outOfRange([opcodeIndex], model.operatorCodes.length, `${where}.opcodeIndex`),
      ),
  },
  {
    code: 'custom-code',
    severity: 'error',
    *violations({ operatorCodes }) {
      for (const [index, { builtinCode, customCode }] of operatorCodes.entries()) {
        if (builtinCode !== 'CUSTOM' || customCode !== null) continue
        yield { where: `operatorCodes[${index}]`, problem: 'is CUSTOM but names no custom code' }
      }
    },
  },
  {
    code: 'tensor-index',
    severity: 'error',
    *violations(model) {
      yield* ofSubgraphs(model, ({ tensors, inputs, outputs }, where) => [
        ...outOfRange(inputs, tensors.length, `${where}.inputs`),
        ...outOfRange(outputs, tensors.length, `${where}.outputs`),
      ])
      // An operator may leave out inputs and intermediates (-1).
      yield* ofOperators(model, (operator, where, { tensors }) => [
        ...outOfRange(operator.inputs, tensors.length, `${where}.inputs`, -1),
        ...outOfRange(operator.outputs, tensors.length, `${where}.outputs`),
        ...outOfRange(operator.intermediates ?? [], tensors.length, `${where}.intermediates`, -1),
      ])
    },
  },
  {
    code: 'order',
    severity: 'error',
    violations: (model) =>
      ofSubgraphs(model, (subgraph, where) => outOfOrder(model, subgraph, where)),
  },
  {
    code: 'buffer-index',
    severity: 'error',
    *violations(model) {
      const count = model.buffers.length
      yield* ofTensors(model, ({ buffer }, where) => outOfRange([buffer], count, `${where}.buffer`))
      for (const [index, { buffer }] of model.metadata.entries()) {
        yield* outOfRange([buffer], count, `metadata[${index}].buffer`)
      }
      yield* outOfRange(model.metadataBuffer ?? [], count, 'metadataBuffer')
    },
  },
  {
    code: 'subgraph-index',
    severity: 'error',
    violations: (model) =>
      ofOperators(model, (operator, where) => [
        ...subgraphReferences(operator.builtinOptions, `${where}.builtinOptions`, model),
        ...subgraphReferences(operator.builtinOptions2, `${where}.builtinOptions2`, model),
      ]),
  },
  {
    code: 'signature',
    severity: 'error',
    *violations({ signatureDefs, subgraphs }) {
      for (const [index, { subgraphIndex, inputs, outputs }] of signatureDefs.entries()) {
        const where = `signatureDefs[${index}]`
        yield* outOfRange([subgraphIndex], subgraphs.length, `${where}.subgraphIndex`)
        const count = subgraphs[subgraphIndex]?.tensors.length
        if (count === undefined) continue
        const indices = [...inputs, ...outputs].map(({ tensorIndex }) => tensorIndex)
        yield* outOfRange(indices, count, `${where} tensorIndex`)
      }
    },
  },
  {
    code: 'shape',
    severity: 'error',
    violations: (model) =>
      ofTensors(model, ({ shape, shapeSignature }, where) => [
        ...badDims(shape ?? [], `${where}.shape`, 0),
        ...badDims(shapeSignature ?? [], `${where}.shapeSignature`, -1),
      ]),
  },
  {
    code: 'constant-truncated',
    severity: 'error',
    violations: (model) =>
      ofTensors(model, (tensor, where) => constantSize(model, tensor, where, (a, b) => a < b)),
  },
  {
    code: 'constant-too-long',
    severity: 'warning',
    violations: (model) =>
      ofTensors(model, (tensor, where) => constantSize(model, tensor, where, (a, b) => a > b)),
  },
  {
    code: 'quantization',
    severity: 'error',
    violations: (model) => ofTensors(model, brokenQuantization),
  },
  {
    code: 'first-buffer',
    severity: 'warning',
    *violations({ buffers }) {
      if (!buffers[0]?.data?.length) return
      yield { where: 'buffers[0]', problem: 'has data, though 0 stands for "no constant data"' }
    },
  },
  {
    code: 'external-weights',
    severity: 'warning',
    violations: (model) =>
      ofTensors(model, ({ externalBuffer }, where) => {
        if (!externalBuffer) return NO_VIOLATIONS
        const files = (model.externalBufferGroups ?? []).map(({ name }) => name).join(', ')
        return [{ where, problem: `has its constant in another file (${files})` }]
      }),
  },
]
