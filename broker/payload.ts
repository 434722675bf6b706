/** aedes allows text; from the wire it is always bytes, which need no copy. */
export function bytesOf(payload: string | Buffer): Buffer {
  return typeof payload === 'string' ? Buffer.from(payload) : payload
}
