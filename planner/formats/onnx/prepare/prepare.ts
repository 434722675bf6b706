import type { Finding } from '../../../../shared/findings.ts'
import type { OnnxGraph, OnnxModel } from '../model.ts'
import { inferValues, type ValueTypes } from '../shapes/infer.ts'
import { foldConstants } from './fold-constants.ts'
import { GraphEditor } from './graph-editor.ts'
import { hoistConstants } from './hoist-constants.ts'
import { inlineFunctions } from './inline-functions.ts'
import { applyRules } from './rule.ts'
import { INTEGER_RULES, RULES } from './rules.ts'
import { sweep } from './sweep.ts'
import { upgradeOpset } from './upgrade-opset.ts'
import { widenHalves } from './widen-halves.ts'

export interface PrepareOptions {
  /** Operators become equivalents with integer kernels. */
  readonly forIntegers: boolean
  /** Constants stored as integers or halves become float32. */
  readonly expandStored: boolean
  /** Halves inside become float32. */
  readonly widenHalves?: boolean
}

export interface Prepared {
  readonly types: ValueTypes
  /** Rule → how often it applied. */
  readonly applied: ReadonlyMap<string, number>
  readonly findings: readonly Finding[]
}

/**
 * Brings a model into the shape that quantizes best, outputs unchanged within float rounding: opset 13
 * or newer, constants computed, normalisations and biases inside products. Changes `model`.
 * @throws OnnxError `not-loadable`, `unsupported-opset`
 */
export async function prepareModel(model: OnnxModel, options: PrepareOptions): Promise<Prepared> {
  const { graph } = model
  if (graph === undefined) return { types: new Map(), applied: new Map(), findings: [] }
  ownConstants(graph)
  inlineFunctions(model)
  if (options.widenHalves) widenHalves(model)
  hoistConstants(model)
  if (model.irVersion < OWN_CONSTANTS) model.irVersion = OWN_CONSTANTS
  upgradeOpset(model, await inferValues(model))
  const types = await inferValues(model)
  const folded = await foldConstants(model, { expandStored: options.expandStored, types })
  const rules = options.forIntegers ? [...RULES, ...INTEGER_RULES] : RULES
  const applied = applyRules(new GraphEditor(graph, types, folded.computed), rules)
  sweep(graph)
  graph.valueInfo = []
  return {
    types: await inferValues(model),
    applied: new Map([
      ...applied,
      ...(folded.nodes === 0 ? [] : [['constants', folded.nodes] as const]),
    ]),
    findings: [],
  }
}

/** IR version since which constants need not stand among the inputs. */
const OWN_CONSTANTS = 4n

/** An initializer that also stands among the inputs could be overridden by a caller; before IR 4 all had to. */
function ownConstants(graph: OnnxGraph): void {
  const constants = new Set(graph.initializer.map(({ name }) => name))
  graph.input = graph.input.filter(({ name }) => !constants.has(name))
}
