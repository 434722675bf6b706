import { OnnxError } from '../errors.ts'
import { newMessage, type OnnxModel } from '../model.ts'
import { opsetOf } from '../opset.ts'
import type { ValueTypes } from '../shapes/infer.ts'
import { graphsOf } from '../walk.ts'
import { GraphEditor } from './graph-editor.ts'
import { UPGRADES } from './upgrades.ts'

/** The first opset with one scale per channel in DequantizeLinear, and the IR version it belongs to. */
const WANTED = 13
const IR_VERSION = 7n

/** Before it, operators changed in ways that files of today no longer carry. */
const OLDEST = 7

/**
 * Brings a model below opset 13 up to it; newer ones stay as they are. Changes `model`.
 * @throws OnnxError `unsupported-opset`
 */
export function upgradeOpset(model: OnnxModel, types: ValueTypes): void {
  const opset = opsetOf(model)
  if (opset >= WANTED) return
  if (opset < OLDEST) throw refusal(opset, `opset ${opset} is older than ${OLDEST}`)
  for (const graph of [...graphsOf(model)]) upgradeGraph(new GraphEditor(graph, types), opset)
  model.opsetImport = [
    ...model.opsetImport.filter(({ domain }) => domain !== ''),
    newMessage('OperatorSetIdProto', { domain: '', version: BigInt(WANTED) }),
  ]
  if (model.irVersion < IR_VERSION) model.irVersion = IR_VERSION
}

function upgradeGraph(editor: GraphEditor, opset: number): void {
  for (const node of [...editor.graph.node]) {
    const found = UPGRADES.find(
      ({ opType, changedIn }) => opType === node.opType && opset < changedIn,
    )
    if (found === undefined || node.domain !== '') continue
    if (!found.upgrade(node, editor)) {
      throw refusal(opset, `${node.opType} "${node.name || node.output[0]}" has no equal there`)
    }
    editor.touch()
  }
}

function refusal(opset: number, why: string): OnnxError {
  return new OnnxError(
    'unsupported-opset',
    `the model cannot be brought to opset ${WANTED}: ${why}; export it again with opset ${WANTED} or newer`,
    { opset },
  )
}
