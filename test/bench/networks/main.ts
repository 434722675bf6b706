/**
 * `npm run bench:networks -- --networks DIR [--schemes A,B] [--json FILE] [--markdown] [NAME …]`: networks of packages of
 * other people, quantized by every scheme as a user does it, and by the peers in the same run. DIR keeps what is
 * downloaded. Ends with 1 where a file is poor, or above 35 % of its source in
 * eight bits, without a word, falls short of what was said of it, or a command crashed.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { tableText as table } from '../../../planner/cli/print/layout.ts'
import { toArrays, writeNpz } from '../../../shared/dataset/index.ts'
import { loadRuntime } from '../../../shared/runtime/index.ts'
import { formatBytes } from '../../../shared/units.ts'
import { markdownTable } from '../quality/markdown.ts'
import { peerVersions } from '../quality/peers/python.ts'
import type { Judged } from './judge.ts'
import { judge } from './judge.ts'
import { NETWORKS, type Network } from './list.ts'
import { networkFile } from './packages.ts'
import { type PeerFigures, peerFigures, peersMissing } from './peers.ts'
import { type Outcome, quantizeFile } from './quantize-file.ts'
import { samplesOf } from './samples.ts'
import { keepsPromise, type Verdict, verdictOn } from './verdict.ts'

const CALIBRATION = { samples: 64, seed: 1 }
const TEST = { samples: 16, seed: 5001 }

const SCHEMES: Readonly<Record<string, readonly string[]>> = {
  tflite: ['float16', 'weight-w8', 'dynamic-w8', 'static-w8a8', 'static-w8a8-io8', 'static-w8a16'],
  onnx: ['float16', 'weight-w8', 'weight-w4-b32', 'dynamic-w8', 'static-w8a8-u8s8', 'static-w8a16'],
}

const { values, positionals } = parseArgs({
  options: {
    networks: { type: 'string' },
    schemes: { type: 'string' },
    json: { type: 'string' },
    markdown: { type: 'boolean' },
  },
  allowPositionals: true,
})
const folder = values.networks ?? join(tmpdir(), 'fitment-networks')

interface Row {
  readonly network: string
  readonly scheme: string
  readonly sourceBytes: number
  readonly outcome: Outcome
  readonly judged: Judged | { readonly error: string } | null
  readonly verdict: Verdict
  readonly peer: PeerFigures | { readonly error: string } | null
}

async function measure(network: Network, float: string): Promise<Row[]> {
  const model = new Uint8Array(await readFile(float))
  const format = extname(float).slice(1)
  const work = join(folder, 'files', network.name)
  await mkdir(work, { recursive: true })
  const inputs = await inputsOf(model, format)
  const calibration = samplesOf(network, inputs, CALIBRATION.samples, CALIBRATION.seed)
  const [calibrating, testing] = [join(work, 'calibration.npz'), join(work, 'test.npz')]
  await writeNpz(calibrating, toArrays(calibration))
  await writeNpz(testing, toArrays(samplesOf(network, inputs, TEST.samples, TEST.seed)))
  const rows: Row[] = []
  for (const scheme of SCHEMES[format] ?? []) {
    if (values.schemes !== undefined && !values.schemes.split(',').includes(scheme)) continue
    const output = join(work, `${scheme}.${format}`)
    const outcome = await quantizeFile({ source: float, scheme, calibration: calibrating, output })
    const judged = outcome.kind === 'written' ? await judge(float, output, testing) : null
    const verdict = verdictOn(outcome, judged, model.length, scheme)
    const task = {
      float,
      model,
      calibration,
      test: testing,
      output: join(work, `${scheme}-peer.${format}`),
    }
    const peer = missing[format] === undefined ? await peerFigures(format, scheme, task) : null
    const row = {
      network: network.name,
      scheme,
      sourceBytes: model.length,
      outcome,
      judged,
      verdict,
      peer,
    }
    console.log(lineOf(row))
    rows.push(row)
  }
  return rows
}

async function inputsOf(model: Uint8Array, format: string) {
  const runtime = await loadRuntime(format === 'tflite' ? 'litert' : 'onnxruntime')
  const session = await runtime.load(model)
  await session.close()
  return session.inputs
}

function wordsOf(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'kept':
      return 'kept'
    case 'warned':
      return 'warned'
    case 'refused':
      return `refused: ${verdict.reason}`
    case 'silent':
      return `SILENT: ${verdict.about.join(', ')}`
    case 'broken':
      return `BROKEN: ${verdict.short.join(', ')}`
    case 'crashed':
      return `CRASHED: ${verdict.how}`
  }
}

function levels(judged: Judged | { readonly error: string } | null): string {
  if (judged === null) return ''
  if ('error' in judged) return 'does not run'
  const shown = judged.outputs.slice(0, 4).map(({ sqnrDb }) => sqnrDb?.toFixed(1) ?? '—')
  const more = judged.outputs.length > shown.length ? ', …' : ''
  const agree = judged.agreement === null ? '' : ` (${judged.agreement.toFixed(2)})`
  return `${shown.join(', ')}${more}${agree}`
}

function cellsOf({ network, scheme, sourceBytes, outcome, judged, verdict, peer }: Row): string[] {
  const usage = outcome.kind === 'crashed' ? null : outcome.usage
  const theirs = peer === null || 'error' in peer ? null : peer
  return [
    network,
    scheme,
    outcome.kind === 'written'
      ? `${outcome.printed.operators.integer} of ${outcome.printed.operators.total}`
      : '',
    levels(judged),
    peer === null ? '' : 'error' in peer ? 'fails' : levels(peer.judged),
    outcome.kind === 'written' ? share(outcome.bytes, sourceBytes) : '',
    theirs === null ? '' : share(theirs.bytes, sourceBytes),
    usage === null ? '' : `${usage.processorSeconds.toFixed(1)}`,
    theirs === null ? '' : `${theirs.processorSeconds.toFixed(1)}`,
    usage === null ? '' : formatBytes(usage.peakBytes),
    theirs === null ? '' : formatBytes(theirs.peakBytes),
    wordsOf(verdict),
  ]
}

const HEAD = [
  'NETWORK',
  'SCHEME',
  'INTEGERS',
  'DB',
  'PEER',
  'SIZE',
  'PEER',
  'CPU S',
  'PEER',
  'PEAK',
  'PEER',
  'VERDICT',
]

function share(bytes: number, of: number): string {
  return `${((100 * bytes) / of).toFixed(0)} %`
}

function lineOf(row: Row): string {
  const { peer } = row
  const failed = peer !== null && 'error' in peer ? `; peer: ${peer.error.slice(0, 120)}` : ''
  return `${cellsOf(row).join(' | ')}${failed}`
}

const missing: Readonly<Record<string, string | undefined>> = {
  tflite: await peersMissing('tflite'),
  onnx: await peersMissing('onnx'),
}
for (const note of Object.values(missing)) if (note !== undefined) console.log(note)
console.log(`Node ${process.version}, ${await peerVersions()}`)

const rows: Row[] = []
let absent = 0
for (const network of NETWORKS) {
  if (positionals.length > 0 && !positionals.includes(network.name)) continue
  const found = await networkFile(folder, network)
  if ('absent' in found) {
    absent += 1
    console.log(`${network.name} skipped: ${found.absent}`)
    continue
  }
  rows.push(...(await measure(network, found.path)))
  if (values.json !== undefined) await writeFile(values.json, JSON.stringify(rows, null, 1))
}

const cells = rows.map(cellsOf)
console.log(`\n${values.markdown ? markdownTable(HEAD, cells) : table(HEAD, cells)}\n`)
const counted = new Map<string, number>()
for (const { verdict } of rows) counted.set(verdict.kind, (counted.get(verdict.kind) ?? 0) + 1)
console.log(
  [...counted].map(([kind, count]) => `${count} ${kind}`).join(', '),
  absent > 0 ? `${absent} networks absent` : '',
)
process.exit(rows.every(({ verdict }) => keepsPromise(verdict)) ? 0 : 1)
