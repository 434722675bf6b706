import { join } from 'node:path'
import { createServer } from 'node:tls'
import { Aedes } from 'aedes'
import t from 'tap'
import { Connection } from '../../../agent/link/connection.ts'
import { parseEndpoint } from '../../../agent/link/index.ts'
import { selfSigned } from '../../self-signed.ts'

t.test('a broker behind TLS is met with the authority given, and not without', async (t) => {
  const { cert, key } = await selfSigned()
  const broker = await Aedes.createBroker()
  const server = createServer({ cert, key }, (socket) => broker.handle(socket))
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  t.teardown(async () => {
    await new Promise<void>((resolve) => broker.close(() => resolve()))
    server.close()
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('a server has a port')
  const url = `mqtts://localhost:${address.port}`
  const ca = join(t.testdir({ 'ca.pem': cert }), 'ca.pem')
  const attempt = (files: { ca?: string }) =>
    new Promise<string>((resolve) => {
      const connection = new Connection(
        {
          endpoint: parseEndpoint(url, files),
          fleet: 'lab',
          device: 'd1',
          epoch: { start: 's', connection: 1 },
          answerMs: 5_000,
        },
        {
          onUp: () => {
            resolve('up')
            void connection.leave()
          },
          onMessage: () => {},
          onDown: resolve,
        },
      )
    })
  t.equal(await attempt({ ca }), 'up')
  t.match(await attempt({}), /self-signed certificate/)
})
