import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509'
import { Aedes } from 'aedes'
import t from 'tap'
import { Connection } from '../../../agent/link/connection.ts'
import { parseEndpoint } from '../../../agent/link/index.ts'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

async function selfSigned(): Promise<{ cert: string; key: string }> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      name: 'CN=localhost',
      notBefore: new Date(Date.now() - 60_000),
      notAfter: new Date(Date.now() + 3_600_000),
      signingAlgorithm: algorithm,
      keys,
      extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: 'localhost' }])],
    },
    webcrypto as Parameters<typeof X509CertificateGenerator.createSelfSigned>[1],
  )
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey))
  const body = pkcs8.toString('base64')
  return {
    cert: certificate.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n`,
  }
}

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
