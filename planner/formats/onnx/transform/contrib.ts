import { CONTRIB } from '../domains.ts'
import { newMessage } from '../model.ts'
import type { ModelRewriter } from './model-rewriter.ts'

/** The domain of ONNX Runtime's own operators, imported. */
export function importContrib({ model }: ModelRewriter): string {
  if (!model.opsetImport.some(({ domain }) => domain === CONTRIB))
    model.opsetImport.push(newMessage('OperatorSetIdProto', { domain: CONTRIB, version: 1n }))
  return CONTRIB
}
