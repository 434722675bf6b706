import { connect, createServer, type Socket } from 'node:net'

/** Bytes on the way in one direction before the sender must wait: more than a window of any benchmark. */
const PIPE_BYTES = 16 * 2 ** 20

/** A TCP way to `port` on which every byte takes `delayMs` in either direction, whatever else is under way. */
export async function slowWay(
  port: number,
  delayMs: number,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', noDelay: true })
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      delay(from, to, delayMs)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function delay(from: Socket, to: Socket, delayMs: number): void {
  let underWay = 0
  from.on('error', () => {})
  from.on('data', (chunk) => {
    underWay += chunk.length
    if (underWay > PIPE_BYTES) from.pause()
    setTimeout(() => {
      underWay -= chunk.length
      if (underWay <= PIPE_BYTES) from.resume()
      if (!to.destroyed) to.write(chunk)
    }, delayMs)
  })
  from.on('close', () => setTimeout(() => to.destroy(), delayMs))
}
