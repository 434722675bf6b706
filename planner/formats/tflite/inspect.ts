import { customOperatorObstacle } from '../../../shared/runtime/index.ts'
import type { InspectedOperator, InspectedTensor, Inspection } from '../../graph/index.ts'
import { referenceTarget, targetOf } from '../../targets/index.ts'
import { operatorName } from './access.ts'
import { readTflite } from './codec/read.ts'
import type { TflModel } from './model.ts'
import { nativeOperator } from './native-operators.ts'
import { minimumRelease } from './releases.ts'

/** @throws TfliteError where the bytes are no model */
export function inspectTflite(bytes: Uint8Array, fileName: string): Inspection {
  const model = readTflite(bytes, fileName)
  return {
    format: 'tflite',
    bytes: bytes.length,
    producer: model.description,
    inputs: endsOf(model, 'inputs'),
    outputs: endsOf(model, 'outputs'),
    operators: operatorsOf(model),
    subgraphs: model.subgraphs.length,
    constants: constantsOf(model),
    versions: {
      schema: String(model.version),
      minRuntime: minimumRelease(model.operatorCodes) ?? 'unknown',
    },
  }
}

function endsOf(model: TflModel, end: 'inputs' | 'outputs'): InspectedTensor[] {
  const [main] = model.subgraphs
  return (main?.[end] ?? []).flatMap((index) => {
    const tensor = main?.tensors[index]
    if (tensor === undefined) return []
    const shape = tensor.shapeSignature?.length ? tensor.shapeSignature : (tensor.shape ?? [])
    return [{ name: tensor.name ?? `tensor ${index}`, type: tensor.type.toLowerCase(), shape }]
  })
}

const { kernels } = targetOf(referenceTarget('tflite'))

function operatorsOf(model: TflModel): InspectedOperator[] {
  const found = new Map<string, InspectedOperator>()
  for (const operator of model.subgraphs.flatMap(({ operators }) => operators)) {
    const code = model.operatorCodes[operator.opcodeIndex]
    const native = operatorName(model, operator)
    const name = `${native} v${code?.version ?? 1}`
    const { kind } = nativeOperator(code?.builtinCode ?? 'CUSTOM')
    const count = (found.get(name)?.count ?? 0) + 1
    found.set(name, {
      operator: name,
      native,
      count,
      kind,
      integerKernel: kernels[kind].integer !== null,
      obstacle:
        code?.builtinCode === 'CUSTOM' ? customOperatorObstacle(code.customCode ?? '') : null,
    })
  }
  return [...found.values()].sort((a, b) => b.count - a.count)
}

function constantsOf(model: TflModel): Inspection['constants'] {
  const types: Record<string, number> = {}
  let elements = 0
  let count = 0
  for (const { type, shape, buffer } of model.subgraphs.flatMap(({ tensors }) => tensors)) {
    if (!model.buffers[buffer]?.data?.length) continue
    const size = (shape ?? []).reduce((product, dim) => product * dim, 1)
    types[type.toLowerCase()] = (types[type.toLowerCase()] ?? 0) + size
    elements += size
    count += 1
  }
  return { count, elements, types }
}
