import {
  copyMessage,
  type OnnxAttribute,
  type OnnxFunction,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxOpset,
} from '../model.ts'
import { graphsOf, graphsWithin } from '../walk.ts'

/** A few functions that call each other twice would be a file without end: what is called more often stays a call. */
const MOST_CALLS = 100_000

/**
 * Puts the body of every model-local function in the place of its calls: quantization knows operators, not functions.
 * One whose body means another opset than the model's stays a function. Changes `model`.
 */
export function inlineFunctions(model: OnnxModel): void {
  if (model.functions.length === 0) return
  const inliner = new Inliner(model)
  while (inliner.pass());
  const local = new Set(model.functions.map(keyOf))
  const nodes = [...ownGraphs(model)].flatMap(({ node }) => node)
  if (nodes.some((node) => local.has(keyOfCall(node)))) return
  const used = new Set(['', ...nodes.map(({ domain }) => domain)])
  model.functions = []
  model.opsetImport = model.opsetImport.filter(({ domain }) => used.has(domain))
}

function ownGraphs(model: OnnxModel): Iterable<OnnxGraph> {
  return graphsOf({ ...model, functions: [] })
}

function keyOf({ domain, name, overload }: OnnxFunction): string {
  return `${domain}:${name}:${overload}`
}

function keyOfCall({ domain, opType, overload }: OnnxNode): string {
  return `${domain}:${opType}:${overload}`
}

class Inliner {
  readonly #model: OnnxModel
  readonly #functions: ReadonlyMap<string, OnnxFunction>
  readonly #taken: Set<string>
  #calls = 0

  constructor(model: OnnxModel) {
    this.#model = model
    const sound = model.functions.filter(({ opsetImport }) => agrees(opsetImport, model))
    for (const { opsetImport } of sound) importMissing(opsetImport, model)
    this.#functions = new Map(sound.map((one) => [keyOf(one), one]))
    this.#taken = new Set([...graphsOf(model)].flatMap(namesOf))
  }

  /** @returns whether calls may be left */
  pass(): boolean {
    const before = this.#calls
    for (const graph of ownGraphs(this.#model))
      graph.node = graph.node.flatMap((node) => this.#bodyOf(node))
    return this.#calls > before
  }

  #bodyOf(node: OnnxNode): OnnxNode[] {
    const body = this.#functions.get(keyOfCall(node))
    if (body === undefined || this.#calls >= MOST_CALLS) return [node]
    this.#calls += 1
    const names = new Map<string, string>([['', '']])
    for (const [at, name] of body.input.entries()) names.set(name, node.input[at] ?? '')
    for (const [at, name] of body.output.entries())
      names.set(name, node.output[at] || this.#fresh(name))
    const attributes = attributesOf(body, node)
    return body.node.map((one) => this.#copyOf(one, names, attributes))
  }

  #copyOf(
    node: OnnxNode,
    names: Map<string, string>,
    attributes: ReadonlyMap<string, OnnxAttribute>,
  ): OnnxNode {
    const renamed = (name: string) => {
      const known = names.get(name) ?? this.#fresh(name)
      names.set(name, known)
      return known
    }
    return copyMessage('NodeProto', node, {
      name: node.name === '' ? '' : this.#fresh(node.name),
      input: node.input.map(renamed),
      output: node.output.map(renamed),
      attribute: node.attribute.flatMap((one) => this.#attribute(one, names, attributes)),
    })
  }

  /** What the call says in the place of the body's own attribute; absent where neither says anything. */
  #attribute(
    attribute: OnnxAttribute,
    names: Map<string, string>,
    attributes: ReadonlyMap<string, OnnxAttribute>,
  ): OnnxAttribute[] {
    const { name, refAttrName, g } = attribute
    if (refAttrName !== '') {
      const said = attributes.get(refAttrName)
      return said === undefined ? [] : [copyMessage('AttributeProto', said, { name })]
    }
    if (g === undefined) return [attribute]
    return [copyMessage('AttributeProto', attribute, { g: this.#graph(g, names, attributes) })]
  }

  #graph(
    graph: OnnxGraph,
    outer: ReadonlyMap<string, string>,
    attributes: ReadonlyMap<string, OnnxAttribute>,
  ): OnnxGraph {
    const names = new Map(outer)
    const named = <T extends { name: string }>(one: T): T =>
      Object.assign(Object.create(Object.getPrototypeOf(one)), one, {
        name: names.get(one.name) ?? this.#note(one.name, names),
      })
    return copyMessage('GraphProto', graph, {
      input: graph.input.map(named),
      initializer: graph.initializer.map(named),
      node: graph.node.map((one) => this.#copyOf(one, names, attributes)),
      output: graph.output.map(named),
      valueInfo: [],
    })
  }

  #note(name: string, names: Map<string, string>): string {
    const fresh = this.#fresh(name)
    names.set(name, fresh)
    return fresh
  }

  #fresh(base: string): string {
    let name = `${base}/${this.#calls}`
    for (let i = 1; this.#taken.has(name); i += 1) name = `${base}/${this.#calls}/${i}`
    this.#taken.add(name)
    return name
  }
}

/** Bodies of another opset could mean something else by the same words. */
function agrees(imports: readonly OnnxOpset[], { opsetImport }: OnnxModel): boolean {
  return imports.every(({ domain, version }) => {
    const known = opsetImport.find((one) => one.domain === domain)
    return known === undefined || known.version === version
  })
}

function importMissing(imports: readonly OnnxOpset[], model: OnnxModel): void {
  const known = new Set(model.opsetImport.map(({ domain }) => domain))
  model.opsetImport.push(...imports.filter(({ domain }) => !known.has(domain)))
}

function attributesOf(body: OnnxFunction, call: OnnxNode): Map<string, OnnxAttribute> {
  return new Map([...body.attributeProto, ...call.attribute].map((one) => [one.name, one]))
}

function namesOf(graph: OnnxGraph): string[] {
  return [...graphsWithin(graph)].flatMap(({ input, initializer, node }) => [
    ...[...input, ...initializer].map(({ name }) => name),
    ...node.flatMap(({ name, output }) => [name, ...output]),
  ])
}
