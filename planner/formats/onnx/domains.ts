import type { OnnxModel, OnnxNode, OnnxOpset } from './model.ts'
import { graphsOf } from './walk.ts'

/** The standard operators' domain has two names (onnx.proto, OperatorSetIdProto): behind this file it has the empty one. */
const STANDARD = 'ai.onnx'
/** ONNX Runtime's own operators. */
export const CONTRIB = 'com.microsoft'

/** Of other domains than the standard one with the domain before it. */
export function operatorName({ opType, domain }: OnnxNode): string {
  return domain === '' ? opType : `${domain}.${opType}`
}

/** Renames the standard domain wherever the file writes it out, so that whoever looks for an operator asks once. Changes `model`. */
export function normaliseDomains(model: OnnxModel): void {
  for (const graph of graphsOf(model)) shorten(graph.node)
  for (const { node } of model.functions) shorten(node)
  shorten(model.functions)
  for (const holder of [model, ...model.functions]) {
    shorten(holder.opsetImport)
    holder.opsetImport = onceEach(holder.opsetImport)
  }
}

/** An empty domain that nobody wrote stays unwritten. */
function shorten(named: readonly { domain: string }[]): void {
  for (const one of named) if (one.domain === STANDARD) one.domain = ''
}

/** Imported under both names it is still one domain: the first mention counts. */
function onceEach(imports: readonly OnnxOpset[]): OnnxOpset[] {
  return imports.filter(
    ({ domain }, at) => imports.findIndex((one) => one.domain === domain) === at,
  )
}
