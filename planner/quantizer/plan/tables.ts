import type {
  AffineParameters,
  GraphOperator,
  GraphTensor,
  Instruction,
} from '../../graph/index.ts'
import { FLOAT32, type Form, transposed, usesOf } from '../../graph/index.ts'
import type { PlanRequest } from './request.ts'

type Store = Extract<Instruction, { verb: 'store-constant' }>

/** What a constant is stored as, where its bytes are the same as those of another. */
export interface Stored {
  readonly form: Form
  /** Of the store that it follows. */
  readonly values?: Float32Array
}

/** Whether an operator only looks rows up in a constant that others multiply by: one form has to serve both. */
export function readsSharedTable(operator: GraphOperator, request: PlanRequest): boolean {
  if (operator.kind !== 'gather' && operator.kind !== 'embedding-lookup') return false
  return operator.inputs.some(({ tensor, role }) => {
    const table = request.graph.tensors[tensor ?? -1]
    return role !== 'shape' && table?.constant != null && isWeightToo(table, request)
  })
}

function isWeightToo({ constant }: GraphTensor, { graph, links, facts }: PlanRequest): boolean {
  return graph.tensors.some(
    (twin) =>
      twin.constant?.storage === constant?.storage &&
      usesOf(links, twin.id).some((use) => {
        if (use.kind !== 'input') return false
        const reader = graph.operators[use.operator]
        const row = reader && facts[reader.kind]
        return reader?.inputs[use.position]?.role === 'weight' && row?.integer !== null
      }),
  )
}

/** Tables in the form that the weight of the same bytes takes, expanded for those who look up in them. */
export function storeSharedTables(
  instructions: readonly Instruction[],
  request: PlanRequest,
): Instruction[] {
  const { graph, links } = request
  return graph.tensors.flatMap((table): Instruction[] => {
    const uses = usesOf(links, table.id).filter(
      (use) =>
        use.kind === 'input' &&
        readsSharedTable(graph.operators[use.operator] as GraphOperator, request),
    )
    const stored = uses.length === 0 ? null : storedAlike(table, instructions, request)
    if (stored === null) return []
    return [
      { verb: 'store-constant', tensor: table.id, uses: [], ...stored },
      { verb: 'convert', tensor: table.id, from: stored.form, to: FLOAT32, uses },
    ]
  })
}

/** The form of the constant that has the same bytes, or the same ones turned; null where none is stored on codes. */
export function storedAlike(
  tensor: GraphTensor,
  instructions: readonly Instruction[],
  { graph }: PlanRequest,
): Stored | null {
  const store = instructions.find((one): one is Store => {
    if (one.verb !== 'store-constant' || one.form.type !== 'int8') return false
    return graph.tensors[one.tensor]?.constant?.storage === tensor.constant?.storage
  })
  const twin = store && graph.tensors[store.tensor]
  if (store === undefined || twin === undefined || !('parameters' in store.form)) return null
  const [rows = 0, columns = 0] = twin.shape ?? []
  const turned = twin.id !== tensor.id && twin.shape?.join() !== tensor.shape?.join()
  if (!turned) return { form: store.form, ...(store.values && { values: store.values }) }
  const parameters = turnedParameters(store.form.parameters)
  return {
    form: { ...store.form, parameters },
    ...(store.values && { values: transposed(store.values, rows, columns) }),
  }
}

function turnedParameters(parameters: AffineParameters): AffineParameters {
  const { axis } = parameters
  return { ...parameters, axis: axis === null ? null : 1 - axis }
}
