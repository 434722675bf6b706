import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { RABBITMQ_PLUGINS } from '../../../broker/index.ts'
import { freePort } from '../../free-port.ts'
import { rabbitmqName, rabbitmqNode } from './brokers.ts'

const TWICE = '{"ha-mode":"exactly","ha-params":2,"ha-sync-mode":"automatic"}'

export type ClusterNode = Awaited<ReturnType<typeof rabbitmqNode>> & { readonly port: number }

/** Nodes that found each other; users and permissions of one are those of all. */
export async function rabbitmqCluster(t: Test, size: number): Promise<ClusterNode[]> {
  const ports: number[] = []
  while (ports.length < size) ports.push(await freePort())
  const dir = await mkdtemp(join(tmpdir(), 'fitment-rabbitmq-cluster-'))
  t.teardown(() => rm(dir, { recursive: true }))
  const plugins = join(dir, 'enabled_plugins')
  await writeFile(plugins, RABBITMQ_PLUGINS)
  const names = ports.map((port, at) => {
    return `cluster_formation.classic_config.nodes.${at + 1} = ${rabbitmqName(port)}`
  })
  const nodes: ClusterNode[] = []
  for (const port of ports) {
    const settings = join(dir, `${port}.conf`)
    const lines = [
      `listeners.tcp.local = 127.0.0.1:${await freePort()}`,
      `mqtt.listeners.tcp.local = 127.0.0.1:${port}`,
      'mqtt.allow_anonymous = true',
      'mqtt.tcp_listen_options.nodelay = true',
      'cluster_formation.peer_discovery_backend = classic_config',
      ...names,
    ]
    await writeFile(settings, lines.join('\n'))
    const node = await rabbitmqNode(t, { settings, plugins, port, cookie: 'fitment-tests' })
    nodes.push({ ...node, port })
  }
  await Promise.all(nodes.map((node) => node.start()))
  const [first] = nodes
  // As docs/brokers-and-databases.md says: else nobody whose node died could subscribe anywhere until it is back.
  first?.ctl('set_policy', 'sessions', '^mqtt-subscription-.*qos1$', TWICE, '--apply-to', 'queues')
  return nodes
}

/** One address for several brokers, as a balancer has it: the first that answers. */
export async function oneAddress(t: Test, ports: readonly number[]): Promise<number> {
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    return socket
  }
  const server = createServer((socket) => {
    keep(socket)
    const through = ([port, ...others]: readonly number[]) => {
      if (port === undefined) return void socket.destroy()
      const broker = keep(connect(port, '127.0.0.1'))
      let isThrough = false
      broker.once('connect', () => {
        isThrough = true
        socket.pipe(broker).pipe(socket)
        socket.on('close', () => broker.destroy())
        broker.on('close', () => socket.destroy())
      })
      broker.once('error', () => (isThrough ? socket.destroy() : through(others)))
    }
    through(ports)
  })
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return port
}
