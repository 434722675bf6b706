import { drop, onlyReader, type Rewrite } from './links.ts'

/** Shapes that ONNX has to write out, and kernels of TensorFlow Lite know by themselves. */

const shapeOf = (tensor: { fields: { shape: number[] | null } } | null | undefined) =>
  tensor?.fields.shape ?? []

// RESHAPE to rows → FULLY_CONNECTED  ⇒  FULLY_CONNECTED, which makes rows itself
const rowsByKernel: Rewrite = (operator, { makers }) => {
  const [rows, weights] = operator.inputs
  const options = operator.fields.builtinOptions
  if (operator.code.builtinCode !== 'FULLY_CONNECTED' || !rows || options?.keepNumDims) return false
  const before = makers.get(rows)
  const [from] = before?.code.builtinCode === 'RESHAPE' ? before.inputs : []
  if (!from || shapeOf(from).at(-1) !== shapeOf(weights)[1]) return false
  operator.inputs = [from, ...operator.inputs.slice(1)]
  return true
}

// FULLY_CONNECTED → RESHAPE to the axes of its input  ⇒  FULLY_CONNECTED that keeps them
const keptAxes: Rewrite = (operator, links, subgraph) => {
  const options = operator.fields.builtinOptions
  if (operator.code.builtinCode !== 'FULLY_CONNECTED' || options === null || options.keepNumDims)
    return false
  const next = onlyReader(operator, links, subgraph)
  const [from, weights] = operator.inputs
  const wanted = [...shapeOf(from).slice(0, -1), shapeOf(weights)[0]]
  const result = next?.code.builtinCode === 'RESHAPE' ? next.outputs[0] : null
  if (!next || !result || wanted.length === 2 || shapeOf(result).join() !== wanted.join())
    return false
  operator.outputs = [result]
  operator.fields = { ...operator.fields, builtinOptions: { ...options, keepNumDims: true } }
  drop(subgraph, next)
  return true
}

// CONCATENATION of values that each got an axis of one there  ⇒  PACK of the values
const packed: Rewrite = (operator, { makers }) => {
  const options = operator.fields.builtinOptions
  if (
    operator.code.builtinCode !== 'CONCATENATION' ||
    options === null ||
    operator.inputs.length < 2
  )
    return false
  const axis = Number(options.axis)
  const values = operator.inputs.flatMap((tensor) => {
    const maker = tensor ? makers.get(tensor) : undefined
    const [from] = maker?.code.builtinCode === 'RESHAPE' ? maker.inputs : []
    return from && shapeOf(tensor).join() === shapeOf(from).toSpliced(axis, 0, 1).join()
      ? [from]
      : []
  })
  if (values.length !== operator.inputs.length) return false
  operator.code = { ...operator.code, builtinCode: 'PACK' }
  operator.inputs = values
  operator.fields = {
    ...operator.fields,
    builtinOptions: { type: 'PackOptions', valuesCount: values.length, axis },
  }
  return true
}

export const reshapesIntoKernels: readonly Rewrite[] = [rowsByKernel, keptAxes, packed]
