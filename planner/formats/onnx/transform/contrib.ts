import { newMessage } from '../model.ts'
import type { ModelRewriter } from './model-rewriter.ts'

const DOMAIN = 'com.microsoft'

/** The domain of ONNX Runtime's own operators, imported. */
export function importContrib({ model }: ModelRewriter): string {
  if (!model.opsetImport.some(({ domain }) => domain === DOMAIN))
    model.opsetImport.push(newMessage('OperatorSetIdProto', { domain: DOMAIN, version: 1n }))
  return DOMAIN
}
