/** Asks a server behind TLS for a file, showing a certificate: url, then file with certificate and key. */
import { readFileSync } from 'node:fs'
import { RangeClient } from '../../../agent/artifacts/copy/range-request.ts'

const [, , url = '', file = ''] = process.argv
const pem = readFileSync(file)
const client = new RangeClient(new URL(url), { cert: pem, key: pem })
const range = { from: 0, to: 9, bytes: 10 }
const { body } = await client.ask('ab/abc', range, new AbortController().signal)
body.resume().on('end', () => client.close())
