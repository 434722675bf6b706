import { execFile } from 'node:child_process'
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { selfSigned } from '../../self-signed.ts'

const PROCESS = fileURLToPath(new URL('./shown-process.js', import.meta.url))

t.test(
  'who a device is, is told to the server that the planner named, and to none it leads to',
  async (t) => {
    const own = await selfSigned()
    const device = await selfSigned()
    const shown: (string | undefined)[] = []
    const tls = { ...own, requestCert: true, rejectUnauthorized: false }
    const noteShown = ({ socket }: IncomingMessage) => {
      const { raw } = (socket as TLSSocket).getPeerCertificate()
      shown.push(raw?.toString('base64'))
    }
    const end = createServer(tls, (request, response) => {
      noteShown(request)
      response.writeHead(206, { 'content-range': 'bytes 0-9/10' }).end('0123456789')
    }).listen(0, 'localhost')
    const place = (server: typeof end) =>
      `https://localhost:${(server.address() as AddressInfo).port}`
    const named = createServer(tls, (request, response) => {
      noteShown(request)
      response.writeHead(307, { location: `${place(end)}${request.url}` }).end()
    }).listen(0, 'localhost')
    t.teardown(() => {
      end.close()
      named.close()
    })
    await Promise.all(
      [end, named].map(
        (server) => server.listening || new Promise((resolve) => server.once('listening', resolve)),
      ),
    )
    const dir = t.testdir({ 'ca.pem': own.cert, 'device.pem': `${device.cert}\n${device.key}` })
    await promisify(execFile)(process.execPath, [PROCESS, place(named), join(dir, 'device.pem')], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: join(dir, 'ca.pem') },
    })
    const expected = device.cert.replace(/-----.*-----|\s/g, '')
    t.same(shown, [expected, undefined])
  },
)
