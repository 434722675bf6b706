/**
 * `npm run bench:conversion -- --networks DIR [--onnx2tf PYTHON] [--json FILE] [NAME …]`: networks of packages become .tflite,
 * and say what ONNX Runtime says; onnx2tf on the same files in the same run, where it is installed. DIR holds each package
 * unpacked under its name; what it lacks is downloaded. FILE keeps each network's result at once, and what it has is not
 * run again.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fixShapes } from '../../../planner/formats/onnx/index.ts'
import { messageOf } from '../../../shared/errors.ts'
import { sharedData } from '../../shared-data.ts'
import { fetchPackages, folderOf } from './fetch.ts'
import { latenciesOf } from './latency.ts'
import { NETWORKS, type Network } from './networks.ts'
import { convertOurselves } from './ours.ts'
import { convertByPeer } from './peer.ts'
import { keepsPromise, lineOf, type Row, report } from './report.ts'

const { values, positionals } = parseArgs({
  options: {
    networks: { type: 'string' },
    onnx2tf: { type: 'string' },
    json: { type: 'string' },
  },
  allowPositionals: true,
})
const root = values.networks ?? join('..', 'networks')

function pathOf({ from, file }: Network): string {
  if (from === 'shared') return join(sharedData() ?? '', '..', file)
  return join(root, folderOf(from), file)
}

async function measure(network: Network, path: string): Promise<Row> {
  const file = readFileSync(path)
  const bytes = network.shapes
    ? fixShapes(file, new Map(Object.entries(network.shapes)), network.name)
    : file
  const ours = await convertOurselves(network, file)
  const peer = values.onnx2tf === undefined ? null : await convertByPeer(values.onnx2tf, bytes)
  const made = [ours, peer].flatMap((one) => (one && 'tflite' in one ? [one.tflite] : []))
  const latencies = await latenciesOf(made)
  const stated = <T extends object>(one: T | { readonly tflite: Uint8Array }) => {
    if (!('tflite' in one)) return one
    const { tflite: _, ...facts } = one
    return { ...facts, latencyMs: latencies.shift() }
  }
  const { name, kind } = network
  const row = { name, kind, bytes: file.length, ours: stated(ours), peer: peer && stated(peer) }
  return row as Row
}

function keep(rows: readonly Row[]): void {
  if (values.json === undefined) return
  writeFileSync(`${values.json}.part`, JSON.stringify(rows, null, 1))
  renameSync(`${values.json}.part`, values.json)
}

const kept: Row[] =
  values.json !== undefined && existsSync(values.json)
    ? JSON.parse(readFileSync(values.json, 'utf8'))
    : []
const asked = NETWORKS.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
const missing = asked.filter(({ name }) => !kept.some((row) => row.name === name))
await fetchPackages(root, missing, values.onnx2tf ?? 'python3')
for (const network of missing) {
  const path = pathOf(network)
  if (!existsSync(path)) {
    console.log(`${network.name} skipped: ${path} is absent`)
    continue
  }
  try {
    const row = await measure(network, path)
    kept.push(row)
    keep(kept)
    console.log(lineOf(row))
  } catch (error) {
    // The next run takes it up again.
    console.log(`${network.name} not measured: ${messageOf(error)}`)
  }
}

const rows = kept.filter((row) => asked.some(({ name }) => name === row.name))
console.log(`\n${report(rows)}`)
process.exit(keepsPromise(rows) && rows.length === asked.length ? 0 : 1)
