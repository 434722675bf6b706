import { tableText as table } from '../../../planner/cli/print/layout.ts'
import { formatBytes } from '../../../shared/units.ts'
import type { Network } from './networks.ts'
import type { OurResult } from './ours.ts'
import type { PeerResult } from './peer.ts'

/** Promise: so many of the networks convert and agree. */
const SHARE = 0.9
const TOLERANCE = 1e-4

/** A result as it is kept: how long its file takes instead of the file. */
type Measured<R> = R extends { readonly tflite: Uint8Array }
  ? Omit<R, 'tflite'> & { readonly latencyMs: number }
  : R

export interface Row {
  readonly name: string
  readonly kind: Network['kind']
  readonly bytes: number
  readonly ours: Measured<OurResult>
  readonly peer: Measured<PeerResult> | null
}

/** An infinity becomes null in a file of JSON. */
function errorText(error: number | null): string {
  return error === null || error === Number.POSITIVE_INFINITY
    ? 'other shapes'
    : error.toExponential(1)
}

function agrees(
  result: Row['ours'] | Row['peer'],
): result is Exclude<Row['ours'] | Row['peer'], { fails: string } | null> {
  return (
    result !== null && !('fails' in result) && result.error !== null && result.error <= TOLERANCE
  )
}

function peerText(peer: Row['peer']): string {
  if (peer === null) return ''
  if ('fails' in peer) return `fails: ${peer.fails.slice(0, 60)}`
  const error = errorText(peer.error)
  return agrees(peer) ? error : `differs by ${error}`
}

export function lineOf({ name, ours, peer }: Row): string {
  const said =
    'fails' in ours
      ? ours.fails.slice(0, 200)
      : `${errorText(ours.error)}, ${ours.operators} operators, ${ours.transposes} transposes, ${ours.latencyMs.toFixed(1)} ms`
  if (peer === null) return `${name}: ${said}`
  const latency = 'fails' in peer ? '' : `, ${peer.latencyMs.toFixed(1)} ms`
  return `${name}: ${said}; onnx2tf: ${peerText(peer)}${latency}`
}

function cellsOf({ name, kind, bytes, ours, peer }: Row): string[] {
  const figures =
    'fails' in ours
      ? ['refused', '', '', '', '']
      : [
          errorText(ours.error),
          `${ours.operators}`,
          `${ours.transposes}`,
          `${ours.latencyMs.toFixed(1)} ms`,
          `${(ours.ms / 1000).toFixed(1)} s`,
        ]
  const latency = peer === null || 'fails' in peer ? '' : `${peer.latencyMs.toFixed(1)} ms`
  return [name, kind, formatBytes(bytes), ...figures, peerText(peer), latency]
}

const HEAD = [
  'NETWORK',
  'KIND',
  'SIZE',
  'DIFFERS BY',
  'OPERATORS',
  'TRANSPOSES',
  'LITERT',
  'TIME',
  'ONNX2TF',
  'LITERT',
]

export function report(rows: readonly Row[]): string {
  const lines = [
    table(HEAD, rows.map(cellsOf)),
    `${countWell(rows)} of ${rows.length} convert and agree; promise: ${100 * SHARE} %`,
  ]
  const compared = rows.flatMap(({ peer }) => (peer === null ? [] : [peer]))
  if (compared.length === 0) return lines.join('\n')
  const made = compared.filter((peer) => !('fails' in peer) || peer.writes).length
  const well = compared.filter((peer) => agrees(peer)).length
  lines.push(`onnx2tf: ${made} of ${compared.length} convert, ${well} agree`)
  const ratios = rows
    .flatMap(({ ours, peer }) =>
      agrees(ours) && agrees(peer) ? [peer.latencyMs / ours.latencyMs] : [],
    )
    .sort((a, b) => a - b)
  const middle = ratios[ratios.length >> 1]
  if (middle !== undefined)
    lines.push(
      `its files against ours, ${ratios.length} where both agree: ${middle.toFixed(2)} times as long in the middle, ${ratios[0]?.toFixed(2)} to ${ratios.at(-1)?.toFixed(2)}`,
    )
  return lines.join('\n')
}

function countWell(rows: readonly Row[]): number {
  return rows.filter(({ ours }) => !('fails' in ours)).length
}

export function keepsPromise(rows: readonly Row[]): boolean {
  return rows.length === 0 || countWell(rows) >= SHARE * rows.length
}
