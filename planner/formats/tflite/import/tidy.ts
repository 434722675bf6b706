import type { DraftSubgraph, DraftTensor } from '../draft.ts'
import { drop, linksOf, onlyReader, type Rewrite, sameSizes } from './links.ts'
import { reshapesIntoKernels } from './reshapes-into-kernels.ts'

const FUSED_ACTIVATIONS: ReadonlySet<string> = new Set(['RELU', 'RELU6', 'RELU_N1_TO_1'])

/** Kernels of these fuse an activation; of TRANSPOSE_CONV only newer releases do. */
const FUSING: ReadonlySet<string> = new Set([
  'CONV_2D',
  'DEPTHWISE_CONV_2D',
  'FULLY_CONNECTED',
  'ADD',
  'SUB',
  'MUL',
  'DIV',
  'MAX_POOL_2D',
  'AVERAGE_POOL_2D',
])

function isFloat(tensor: DraftTensor | null | undefined): boolean {
  return tensor?.fields.type === 'FLOAT32'
}

// operator → activation  ⇒  operator with that activation
const fuseActivation: Rewrite = (operator, links, subgraph) => {
  const options = operator.fields.builtinOptions
  if (!FUSING.has(operator.code.builtinCode) || options === null || !isFloat(operator.outputs[0]))
    return false
  if ((options.fusedActivationFunction ?? 'NONE') !== 'NONE') return false
  const next = onlyReader(operator, links, subgraph)
  if (next === undefined || !FUSED_ACTIVATIONS.has(next.code.builtinCode)) return false
  const fusedActivationFunction = next.code.builtinCode
  operator.fields = { ...operator.fields, builtinOptions: { ...options, fusedActivationFunction } }
  operator.outputs = next.outputs
  drop(subgraph, next)
  return true
}

const PRODUCTS: ReadonlySet<string> = new Set(['FULLY_CONNECTED', 'CONV_2D', 'DEPTHWISE_CONV_2D'])

// product → + vector of its outputs  ⇒  product with that bias
const fuseBias: Rewrite = (operator, links, subgraph) => {
  if (!PRODUCTS.has(operator.code.builtinCode)) return false
  const [, , bias = null] = operator.inputs
  if (bias !== null && !isZero(bias)) return false
  const options = operator.fields.builtinOptions
  const next = onlyReader(operator, links, subgraph)
  if (next?.code.builtinCode !== 'ADD' || (options?.fusedActivationFunction ?? 'NONE') !== 'NONE')
    return false
  const [made] = operator.outputs
  const added = next.inputs.find((one) => one !== made)
  const filters = made?.fields.shape?.at(-1)
  const shape = added?.fields.shape ?? []
  const fits =
    added?.data && shape.at(-1) === filters && shape.slice(0, -1).every((dim) => dim === 1)
  if (!fits || !sameSizes(made, next.outputs[0])) return false
  const vector: DraftTensor = { ...added, fields: { ...added.fields, shape: [filters as number] } }
  subgraph.tensors.push(vector)
  operator.inputs = [operator.inputs[0] ?? null, operator.inputs[1] ?? null, vector]
  operator.outputs = next.outputs
  const activation = next.fields.builtinOptions?.fusedActivationFunction ?? 'NONE'
  if (options)
    operator.fields = {
      ...operator.fields,
      builtinOptions: { ...options, fusedActivationFunction: activation },
    }
  drop(subgraph, next)
  return true
}

function isZero(tensor: DraftTensor): boolean {
  return tensor.data?.every((byte) => byte === 0) ?? false
}

// RESHAPE → RESHAPE  ⇒  the second alone, or nothing where it leads back
const mergeReshapes: Rewrite = (operator, links, subgraph) => {
  if (operator.code.builtinCode !== 'RESHAPE') return false
  const [from] = operator.inputs
  const [made] = operator.outputs
  if (!from || !made) return false
  const before = links.makers.get(from)
  if (before?.code.builtinCode === 'RESHAPE') {
    operator.inputs = [before.inputs[0] ?? null, operator.inputs[1] ?? null]
    return true
  }
  if (
    !sameSizes(from, made) ||
    subgraph.outputs.includes(made) ||
    from.fields.type !== made.fields.type
  )
    return false
  redirect(subgraph, made, from)
  drop(subgraph, operator)
  return true
}

// TRANSPOSE → TRANSPOSE  ⇒  one of both orders, or nothing where it leads back
const mergeTransposes: Rewrite = (operator, links, subgraph) => {
  if (operator.code.builtinCode !== 'TRANSPOSE') return false
  const [from, order] = operator.inputs
  const [made] = operator.outputs
  const before = from ? links.makers.get(from) : undefined
  if (!from || !made || !order?.data) return false
  const second = numbersOf(order)
  if (before?.code.builtinCode === 'TRANSPOSE' && before.inputs[1]?.data) {
    const first = numbersOf(before.inputs[1])
    const both = second.map((axis) => first[axis] as number)
    const data = new Uint8Array(Int32Array.from(both).buffer)
    const perm: DraftTensor = { fields: { ...order.fields }, data }
    subgraph.tensors.push(perm)
    operator.inputs = [before.inputs[0] ?? null, perm]
    return true
  }
  if (!second.every((axis, i) => axis === i) || subgraph.outputs.includes(made)) return false
  redirect(subgraph, made, from)
  drop(subgraph, operator)
  return true
}

function numbersOf(tensor: DraftTensor): number[] {
  return Array.from(new Int32Array((tensor.data as Uint8Array).slice().buffer))
}

function redirect(subgraph: DraftSubgraph, from: DraftTensor, to: DraftTensor): void {
  for (const operator of subgraph.operators) {
    if (operator.inputs.includes(from))
      operator.inputs = operator.inputs.map((one) => (one === from ? to : one))
  }
}

const REWRITES: readonly Rewrite[] = [
  mergeReshapes,
  mergeTransposes,
  ...reshapesIntoKernels,
  fuseBias,
  fuseActivation,
]

/** Fuses what kernels fuse and takes out what does nothing, until nothing is left to do. */
export function tidy(subgraph: DraftSubgraph): void {
  dropUnread(subgraph)
  for (let changed = true; changed; ) {
    changed = false
    for (const rewrite of REWRITES) {
      let links = linksOf(subgraph)
      for (const operator of [...subgraph.operators]) {
        if (!subgraph.operators.includes(operator)) continue
        if (!rewrite(operator, links, subgraph)) continue
        changed = true
        links = linksOf(subgraph)
      }
    }
    dropUnread(subgraph)
  }
}

/** Operators whose results nobody reads. */
function dropUnread(subgraph: DraftSubgraph): void {
  const wanted = new Set<DraftTensor>(subgraph.outputs)
  subgraph.operators = subgraph.operators
    .reverse()
    .filter((operator) => {
      if (!operator.outputs.some((tensor) => tensor && wanted.has(tensor))) return false
      for (const tensor of operator.inputs) if (tensor) wanted.add(tensor)
      return true
    })
    .reverse()
}
