/**
 * `node trickle-process.js <port of the broker>`, forked: stands between agents and broker as a hostile network
 * would. Told `trickle`, it lets what the broker says through byte by byte; told `flow`, it stands aside.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

const BYTE_EVERY_MS = 5

const brokerPort = Number(process.argv[2])
const held: { readonly to: Socket; bytes: Buffer }[] = []
let isTrickling = false
/** Bytes that went through one by one. */
let trickled = 0

const server = createServer({ noDelay: true }, (agent) => {
  const broker = connect({ port: brokerPort, host: '127.0.0.1', noDelay: true })
  const line = { to: agent, bytes: Buffer.alloc(0) }
  held.push(line)
  agent.on('data', (chunk) => void broker.write(chunk))
  broker.on('data', (chunk) => {
    line.bytes = Buffer.concat([line.bytes, chunk])
    if (!isTrickling) flow()
  })
  for (const [one, other] of [
    [agent, broker],
    [broker, agent],
  ] as const) {
    one.on('error', () => {})
    one.on('close', () => other.destroy())
  }
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))

setInterval(() => {
  if (isTrickling) trickled += flow(1)
}, BYTE_EVERY_MS)

process.on('message', (word) => {
  isTrickling = word === 'trickle'
  if (!isTrickling) flow()
  process.send?.(trickled)
})
process.on('disconnect', () => process.exit())

function flow(most = Number.POSITIVE_INFINITY): number {
  let written = 0
  for (const line of held) {
    const now = line.bytes.subarray(0, most)
    line.bytes = line.bytes.subarray(now.length)
    if (now.length > 0) line.to.write(now)
    written += now.length
  }
  return written
}
