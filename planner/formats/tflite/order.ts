import type { TflModel, TflOperator, TflSubgraph, TflTensor } from './model.ts'
import { operatorName, type Violation } from './violations.ts'

/**
 * Operators run in the order in which they stand: each reads what is there by then. Cycles break this, and so do
 * operators out of order; runtimes would compute with whatever the memory holds.
 */
export function* outOfOrder(
  model: TflModel,
  subgraph: TflSubgraph,
  where: string,
): Iterable<Violation> {
  // Indices that lead nowhere break another law, and would be told twice.
  if (!endsExist(subgraph)) return
  const makers = makersOf(subgraph)
  for (const [index, operator] of subgraph.operators.entries()) {
    const place = `${where}.operators[${index}]`
    for (const problem of readTooEarly(model, subgraph, { operator, index, makers })) {
      yield { where: place, problem }
    }
    for (const output of operator.outputs) {
      const first = makers.get(output)
      if (first === index) continue
      const name = subgraph.tensors[output]?.name ?? ''
      const label = operatorName(model, subgraph, operator)
      const problem = `makes tensor "${name}", which operators[${first}] makes already (${label})`
      yield { where: place, problem }
    }
  }
}

interface Reading {
  readonly operator: TflOperator
  readonly index: number
  readonly makers: ReadonlyMap<number, number>
}

function* readTooEarly(
  model: TflModel,
  subgraph: TflSubgraph,
  { operator, index, makers }: Reading,
): Iterable<string> {
  for (const input of operator.inputs) {
    if (input < 0 || subgraph.inputs.includes(input)) continue
    const made = makers.get(input)
    const isThere =
      made === undefined
        ? isGiven(model, subgraph.tensors[input]) || asksForMemory(model, operator)
        : made < index
    if (!isThere) yield words(model, subgraph, { operator, input, made })
  }
}

function makersOf({ operators }: TflSubgraph): Map<number, number> {
  const makers = new Map<number, number>()
  for (const [index, { outputs }] of operators.entries()) {
    for (const output of outputs) if (!makers.has(output)) makers.set(output, index)
  }
  return makers
}

function endsExist({ tensors, inputs, operators }: TflSubgraph): boolean {
  return [...inputs, ...operators.flatMap(({ outputs }) => outputs)].every(
    (index) => tensors[index] !== undefined,
  )
}

/** Without an operator that makes it: an absent input, a constant, a state, or nothing to read. */
function isGiven({ buffers }: TflModel, tensor: TflTensor | undefined): boolean {
  const buffer = buffers[tensor?.buffer ?? -1]
  if (tensor === undefined || buffer === undefined) return true
  return (
    (buffer.data?.length ?? 0) > 0 ||
    tensor.isVariable ||
    isEmpty(tensor) ||
    Boolean(tensor.externalBuffer)
  )
}

/** Compilers let their own operators name memory to work in, which nothing fills. */
function asksForMemory({ operatorCodes }: TflModel, { opcodeIndex }: TflOperator): boolean {
  return operatorCodes[opcodeIndex]?.builtinCode === 'CUSTOM'
}

function isEmpty({ shape, type }: TflTensor): boolean {
  return (shape?.includes(0) ?? false) || type === 'RESOURCE' || type === 'VARIANT'
}

function words(
  model: TflModel,
  subgraph: TflSubgraph,
  {
    operator,
    input,
    made,
  }: { readonly operator: TflOperator; readonly input: number; readonly made: number | undefined },
): string {
  const reader = operatorName(model, subgraph, operator)
  const tensor = `tensor "${subgraph.tensors[input]?.name ?? ''}"`
  const maker = made === undefined ? undefined : subgraph.operators[made]
  if (maker === undefined) return `reads ${tensor}, which nothing makes (${reader})`
  const own =
    maker === operator ? 'itself' : `operators[${made}] ${operatorName(model, subgraph, maker)}`
  return `reads ${tensor} before ${own} makes it: a cycle, or a wrong order (${reader})`
}
