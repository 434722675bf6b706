/** Devices that count the bytes they are sent and do nothing with them, as sockets of one process: fan-out.ts asks for rounds. */
import { connect, type Socket } from 'node:net'
import { generate, type Packet } from 'mqtt-packet'

export interface Round {
  readonly port: number
  readonly clients: readonly { readonly id: string; readonly topic: string }[]
  /** What each says once all have subscribed; absent: nothing. */
  readonly says?: { readonly topic: string; readonly payload: string }[]
  /** Bytes that each waits for. */
  readonly bytes: number
}

async function play({ port, clients, says, bytes }: Round): Promise<void> {
  const sockets = await Promise.all(clients.map((client) => subscribed(port, client)))
  const done = Promise.all(sockets.map((socket) => received(socket, bytes)))
  process.send?.('ready')
  await new Promise((resolve) => process.once('message', resolve))
  for (const [i, socket] of sockets.entries()) {
    const said = says?.[i]
    if (said) say(socket, { cmd: 'publish', qos: 0, dup: false, retain: false, ...said })
  }
  await done
  for (const socket of sockets) socket.destroy()
  process.send?.('done')
}

async function subscribed(port: number, { id, topic }: Round['clients'][number]): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  say(socket, {
    ...{ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 60 },
    clientId: id,
  })
  const subscriptions = [{ topic, qos: 0 as const }]
  await heard(socket, 0x20)
  say(socket, { cmd: 'subscribe', messageId: 1, subscriptions } as Packet)
  await heard(socket, 0x90)
  return socket
}

function say(socket: Socket, packet: Packet): void {
  socket.write(generate(packet))
}

/** The first packet of this type: nothing else comes before it. */
function heard(socket: Socket, type: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('data', (bytes) => {
      if (((bytes as Buffer)[0] ?? 0) === type) resolve()
      else reject(new Error(`the broker answered ${bytes.toString('hex')}`))
    })
  })
}

function received(socket: Socket, bytes: number): Promise<void> {
  let sum = 0
  return new Promise((resolve, reject) => {
    socket.on('error', reject)
    socket.on('data', (part) => {
      sum += part.length
      if (sum >= bytes) resolve()
    })
  })
}

process.on('message', (message) => {
  if (message === 'go') return
  play(message as Round).catch((error) => {
    process.stderr.write(`${error}\n`)
    process.exit(1)
  })
})
