/**
 * `npm run bench:conversion -- --networks DIR [--onnx2tf PYTHON] [NAME …]`: networks of packages become .tflite, and say
 * what ONNX Runtime says; onnx2tf on the same files in the same run, where it is installed. DIR holds each package
 * unpacked under its name; what it lacks is downloaded.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { tableText as table } from '../../../planner/cli/print/layout.ts'
import { convertProven } from '../../../planner/conversion/index.ts'
import { fixShapes } from '../../../planner/formats/onnx/index.ts'
import { AppError } from '../../../shared/errors.ts'
import { formatBytes } from '../../../shared/units.ts'
import { sharedData } from '../../shared-data.ts'
import { fetchPackages, folderOf } from './fetch.ts'
import { latencyOf } from './latency.ts'
import { NETWORKS, type Network } from './networks.ts'
import { convertByPeer, type PeerResult } from './peer.ts'

/** Promise: so many of the networks convert and agree. */
const SHARE = 0.9

const { values, positionals } = parseArgs({
  options: { networks: { type: 'string' }, onnx2tf: { type: 'string' } },
  allowPositionals: true,
})
const root = values.networks ?? join('..', 'networks')

interface Row {
  readonly network: Network
  readonly bytes: number
  readonly ours:
    | {
        readonly error: number
        readonly note: string
        readonly ms: number
        readonly latencyMs: number
      }
    | string
  readonly peer: PeerResult | null
}

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
  return { network, bytes: file.length, ours, peer }
}

async function convertOurselves(network: Network, bytes: Uint8Array): Promise<Row['ours']> {
  const started = performance.now()
  try {
    const request = {
      bytes,
      from: 'onnx',
      to: 'tflite',
      fileName: network.name,
      tolerance: 1e-4,
      keepClosed: true,
      ...(network.shapes && { shapes: new Map(Object.entries(network.shapes)) }),
    } as const
    const { proof, tflite, bytes: converted } = await convertProven(request)
    const ms = performance.now() - started
    const error = Math.max(...proof.outputs.map((output) => output.error))
    const note = `${tflite?.operators} operators, ${tflite?.transposes} transposes`
    return { error, note, ms, latencyMs: await latencyOf(converted) }
  } catch (error) {
    if (error instanceof AppError) return error.message
    throw error
  }
}

const asked = NETWORKS.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
await fetchPackages(root, asked, values.onnx2tf ?? 'python3')
const rows: Row[] = []
for (const network of asked) {
  const path = pathOf(network)
  if (!existsSync(path)) {
    console.log(`${network.name} skipped: ${path} is absent`)
    continue
  }
  const row = await measure(network, path)
  rows.push(row)
  const said =
    typeof row.ours === 'string' ? row.ours : `${row.ours.error.toExponential(1)}, ${row.ours.note}`
  console.log(
    `${network.name}: ${said.slice(0, 200)}${row.peer === null ? '' : `; onnx2tf: ${row.peer.said}`}`,
  )
}

const printed = rows.map(({ network, bytes, ours, peer }) => [
  network.name,
  network.kind,
  formatBytes(bytes),
  ...(typeof ours === 'string'
    ? ['refused', '', '']
    : [
        ours.error.toExponential(1),
        `${ours.latencyMs.toFixed(1)} ms`,
        `${(ours.ms / 1000).toFixed(1)} s`,
      ]),
  peer === null ? '' : peer.said,
])
console.log(
  `\n${table(['NETWORK', 'KIND', 'SIZE', 'DIFFERS BY', 'LITERT', 'TIME', 'ONNX2TF'], printed)}`,
)
const well = rows.filter(({ ours }) => typeof ours !== 'string').length
const theirs = rows.filter(({ peer }) => peer?.agrees).length
console.log(`${well} of ${rows.length} convert and agree; promise: ${100 * SHARE} %`)
if (values.onnx2tf !== undefined)
  console.log(`onnx2tf: ${theirs} of ${rows.length} convert and agree`)
process.exit(rows.length > 0 && well < SHARE * rows.length ? 1 : 0)
