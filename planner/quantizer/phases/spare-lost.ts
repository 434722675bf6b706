import {
  type Graph,
  type GraphOperator,
  type Links,
  type OperatorId,
  type TensorId,
  usesOf,
  workOf,
} from '../../graph/index.ts'
import { coarseActivations } from '../levels/layer-losses.ts'
import { DEAD_DB, NOISY_DB } from '../levels/level.ts'
import { isProduct } from '../plan/static/precision/scene.ts'
import { readingOf } from '../ranges/reading.ts'
import type { Candidate } from '../recovery/candidate.ts'
import { isCalibrated } from '../request.ts'
import type { Planned } from './state.ts'

/** Below this a trial is not worth its conversions, dB. */
const LEAST_GAIN = 1

/** What is spared does no more than this share of the work. */
const MOST_WORK = 0.3

const BECAUSE =
  'on integers the outputs were lost in noise, and with it in float measured samples came nearer'

/**
 * Where next to nothing is left of the outputs, no recovery brings it back: what loses most for its work, by experience,
 * goes back to float as far as that measures better. What makes and reads activations whose codes alone lose much; then
 * depthwise convolutions, and the products at both ends; then gates.
 */
export async function spareLost(state: Planned): Promise<Planned> {
  const { services, source } = state
  let { candidate } = state
  const { keepFloat, budget } = source.options ?? {}
  // A budget without bounds only wants to be told.
  const chosen = keepFloat !== undefined || Number.isFinite(budget?.maxDrop ?? Infinity)
  const plain = source.options?.recovery?.length === 0
  const pointless = candidate.plan.instructions.length === 0 || plain
  if (services.sqnr === null || !isCalibrated(source.scheme) || chosen || pointless) return state
  let reached = await services.sqnr.sqnrDb(candidate)
  if (reached >= DEAD_DB) return state
  for (const groupOf of [coarse, sensitiveProducts, gates]) {
    const group = groupOf(candidate)
    if (group.size === 0 || reached >= NOISY_DB) continue
    const trial = inFloat(candidate, group, state)
    if (!trial.plan.instructions.some(({ verb }) => verb === 'compute')) continue
    const found = await services.sqnr.sqnrDb(trial)
    if (found < reached + LEAST_GAIN) continue
    reached = found
    candidate = trial
  }
  return { ...state, candidate }
}

function inFloat(
  candidate: Candidate,
  group: ReadonlySet<OperatorId>,
  { services }: Planned,
): Candidate {
  const names = new Set([...group].map((id) => candidate.model.graph.operators[id]?.name))
  const selector = { where: ({ name }: GraphOperator) => names.has(name), because: BECAUSE }
  const request = { ...candidate.request, keepFloat: [...candidate.request.keepFloat, selector] }
  return { ...candidate, request, plan: services.plan(request) }
}

/** Codes that leave less than this of their activation are coarse: what later layers cancel out is then noise, dB. */
const COARSE_DB = 32

/**
 * Who makes and who reads coarse activations, the coarsest first, as far as the work allows: one that is too much for it
 * keeps no other from going.
 */
function coarse(candidate: Candidate): ReadonlySet<OperatorId> {
  const { graph } = candidate.request
  const most = MOST_WORK * workOfAll(graph.operators, graph)
  let found: ReadonlySet<OperatorId> = new Set()
  for (const tensor of coarseActivations(candidate, COARSE_DB)) {
    const next = new Set(found)
    around(tensor, candidate, next)
    const members = graph.operators.filter(({ id }) => next.has(id))
    if (workOfAll(members, graph) <= most) found = next
  }
  return found
}

/**
 * Who reads a coarse activation is in float as well, or it would be read by codes again; who only passes it on, with its
 * readers. A gate or a rectifier makes of coarse numbers what is as coarse: it is in float with the product before it.
 */
function around(
  tensor: TensorId,
  { request: { graph, links, facts } }: Candidate,
  found: Set<OperatorId>,
): void {
  const read = (one: TensorId) => {
    for (const use of usesOf(links, one)) {
      const reader = use.kind === 'input' ? graph.operators[use.operator] : undefined
      if (reader === undefined || found.has(reader.id)) continue
      found.add(reader.id)
      if (facts[reader.kind].integer?.output.law === 'same-as-input') reader.outputs.forEach(read)
    }
  }
  const make = (one: TensorId) => {
    const maker = graph.operators[links.producers[one] ?? -1]
    if (maker === undefined) return
    found.add(maker.id)
    for (const { tensor: source } of maker.inputs) {
      if (source === null || readingOf(source, graph, links) === null) continue
      read(source)
      make(source)
    }
  }
  make(tensor)
  read(tensor)
}

function workOfAll(operators: readonly GraphOperator[], graph: Graph): number {
  return operators.reduce((sum, operator) => sum + workOf(operator, graph), 0)
}

function sensitiveProducts({ request }: Candidate): ReadonlySet<OperatorId> {
  const { graph, links } = request
  const products = graph.operators.filter(isProduct)
  const inputs = new Set(graph.subgraphs.flatMap((subgraph) => subgraph.inputs))
  const found = products.filter(
    (product) =>
      product.kind === 'depthwise-conv' ||
      beginsAt(product, inputs, graph.operators, links) ||
      product.outputs.every((output) => endsIn(output, graph.operators, links)),
  )
  const little = workOfAll(found, graph) <= MOST_WORK * workOfAll(products, graph)
  return new Set(little ? found.map(({ id }) => id) : [])
}

/** Logistic functions with what they are multiplied with. */
function gates({ request }: Candidate): ReadonlySet<OperatorId> {
  const { operators } = request.graph
  const logistic = operators.filter(({ kind }) => kind === 'logistic' || kind === 'tanh')
  const outputs = new Set(logistic.flatMap((operator) => operator.outputs))
  const readers = operators.filter(
    ({ kind, inputs }) => kind === 'mul' && inputs.some(({ tensor }) => outputs.has(tensor ?? -1)),
  )
  return new Set([...logistic, ...readers].map(({ id }) => id))
}

/** Whether only weightless operators stand between the model's inputs and this one. */
function beginsAt(
  { inputs: read }: GraphOperator,
  inputs: ReadonlySet<TensorId>,
  operators: readonly GraphOperator[],
  links: Links,
): boolean {
  return read.some(({ tensor, role }) => {
    if (tensor === null || role !== 'activation') return false
    if (inputs.has(tensor)) return true
    const maker = operators[links.producers[tensor] ?? -1]
    return maker !== undefined && !isProduct(maker) && beginsAt(maker, inputs, operators, links)
  })
}

/** Whether only weightless operators stand between the tensor and the model's outputs. */
function endsIn(tensor: TensorId, operators: readonly GraphOperator[], links: Links): boolean {
  return usesOf(links, tensor).every((use) => {
    if (use.kind === 'output') return true
    const reader = operators[use.operator]
    if (reader === undefined || isProduct(reader)) return false
    return reader.outputs.every((output) => endsIn(output, operators, links))
  })
}
