import { messageOf } from '../../../shared/errors.ts'
import type { Finding } from '../../../shared/findings.ts'
import type { OnnxGraph, OnnxModel, OnnxNode } from './model.ts'
import { dataOf, elementTypeOf } from './tensor-data.ts'

/** Problems that keep a runtime from loading the file, or that make it mean nothing (onnx/checker). */
export function checkOnnx(model: OnnxModel): Finding[] {
  const domains = new Set(model.opsetImport.map(({ domain }) => domain || 'ai.onnx'))
  const local = new Set(model.functions.map(({ domain, name }) => `${domain}:${name}`))
  const findings: Finding[] = []
  if (model.graph) checkGraph(model.graph, new Set(), { domains, local, findings })
  return findings
}

interface Context {
  readonly domains: ReadonlySet<string>
  readonly local: ReadonlySet<string>
  readonly findings: Finding[]
}

/** A nested graph sees the values of the graphs around it. */
function checkGraph(graph: OnnxGraph, outer: ReadonlySet<string>, context: Context): void {
  const known = new Set(outer)
  const own = new Set<string>()
  const define = (name: string, where: string) => {
    if (own.has(name)) report(context, 'duplicate-value', `value "${name}" is defined twice`, where)
    own.add(name)
    known.add(name)
  }
  const inputs = new Set(graph.input.map(({ name }) => name))
  for (const { name } of graph.input) define(name, 'graph inputs')
  for (const tensor of graph.initializer) {
    // Before IR version 4 an initializer also stands among the inputs.
    if (!inputs.has(tensor.name)) define(tensor.name, 'initializers')
    checkConstant(tensor, context)
  }
  for (const { values } of graph.sparseInitializer) if (values) known.add(values.name)
  for (const node of graph.node) {
    checkNode(node, known, context)
    for (const name of node.output.filter(isPresent)) define(name, label(node))
  }
  for (const { name } of graph.output) {
    if (!known.has(name))
      report(context, 'undefined-value', `output "${name}" is never computed`, 'graph outputs')
  }
}

function checkNode(node: OnnxNode, known: ReadonlySet<string>, context: Context): void {
  const domain = node.domain || 'ai.onnx'
  if (!context.domains.has(domain) && !context.local.has(`${node.domain}:${node.opType}`)) {
    report(
      context,
      'domain-not-imported',
      `operator ${domain}.${node.opType} has no opset_import`,
      label(node),
    )
  }
  for (const name of node.input.filter(isPresent)) {
    if (!known.has(name)) {
      report(
        context,
        'undefined-value',
        `"${name}" is used before anything defines it`,
        label(node),
      )
    }
  }
  for (const { g, graphs } of node.attribute) {
    for (const nested of g ? [g, ...graphs] : graphs) checkGraph(nested, known, context)
  }
}

function checkConstant(tensor: OnnxGraph['initializer'][number], context: Context): void {
  if (tensor.dataLocation === 1 || elementTypeOf(tensor) === undefined) return
  try {
    dataOf(tensor)
  } catch (error) {
    report(context, 'constant-unreadable', messageOf(error), tensor.name)
  }
}

/** An absent optional input or output has the empty name. */
function isPresent(name: string): boolean {
  return name !== ''
}

function report(context: Context, code: string, message: string, where: string): void {
  context.findings.push({ code, severity: 'error', message: `${message} (${where})`, where })
}

function label(node: OnnxNode): string {
  return `node ${node.name || node.output[0] || '?'} (${node.opType})`
}
