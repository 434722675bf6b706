import { shortDigest } from '../../../shared/digest.ts'
import { formatMs, formatPercent, formatRatio } from '../../../shared/units.ts'
import type { Explanation } from '../../api/index.ts'
import { points } from '../../selection/index.ts'
import { type Cell, cell } from '../print/figure.ts'
import { type Page, table } from '../print/page.ts'
import { printEnergy, printPace, printSoak } from '../program/print-modes.ts'

type Candidate = Explanation['candidates'][number]
type Measurement = Candidate['measurements'][number]
type Engine = NonNullable<Measurement['engine']>

/** The choice in a sentence, every candidate beside it, and every measurement that says so. */
export function printExplanation(told: Explanation): Page {
  const measured = told.candidates.filter(({ measurements }) => measurements.length > 0)
  return [
    headline(told),
    ...recheckLine(told),
    ...(told.probing === '' ? [] : [`measured ${told.probing}`]),
    ...furtherLines(told),
    ...(told.parts === '' ? [] : [`class ${told.class} ${told.parts}`]),
    ...costLine(told),
    ...told.notBelieved.map(({ device, why }) => `${device} is left out: ${why}`),
    '',
    table(
      ['VERDICT', 'CANDIDATE', 'P50', 'VS FLOAT32', 'VS CHOSEN', 'KNOWN', 'LOST', 'WHY'],
      told.candidates.filter(({ bytes }) => bytes !== null).map(candidateCells),
      { spare: ['KNOWN', 'VS FLOAT32'] },
    ),
    '',
    table(
      [
        'MEASURED',
        'IN TURNS WITH',
        'DEVICE',
        'WHEN',
        'P50',
        'RATIO',
        'RUNS',
        'SAMPLES',
        'VERDICT',
        'ENGINE',
      ],
      measured.flatMap((one) => one.measurements.map((probe) => measurementCells(one, probe))),
      { spare: ['ENGINE', 'SAMPLES', 'RUNS', 'WHEN', 'IN TURNS WITH'] },
    ),
  ]
}

function headline({
  model,
  revision,
  device,
  class: classId,
  round,
  ...told
}: Explanation): string {
  const where = `${model} revision ${revision} on ${device} (class ${classId}, round ${round})`
  if (told.chosen === null || told.chosenAt === null)
    return `${where}: nothing is chosen [${told.stage}]: ${told.why}`
  const instead = told.instead
    ? `\nthis device gets ${nameOf(told.instead)} instead: ${told.instead.why}`
    : ''
  return `${where}, chosen ${told.chosenAt}\n${told.why}${instead}`
}

/** What was measured beside latency, a line each. */
function furtherLines({ candidates }: Explanation): string[] {
  return candidates.flatMap((of) =>
    of.measurements.flatMap(({ device, ...probe }) => {
      const said = [triedLine(probe), energyLine(probe), soakLine(probe)]
      return said.flatMap((text) =>
        text === undefined ? [] : [`${nameOf(of)} on ${device}: ${text}`],
      )
    }),
  )
}

/** `expected, by what 12 other plans measured (off by 1.14× on plans not seen): float32 on litert 2.1× (1.7×–2.6×) …`. */
function costLine({ costModel, candidates, chosen }: Explanation): string[] {
  if (costModel === null || costModel.error === null || chosen === null) return []
  const said = candidates.flatMap((one) =>
    one.expected === null
      ? []
      : [
          `${nameOf(one)} ${one.expected.bounded ? printRatio(one.expected) : `${formatRatio(one.expected.p50)}, not bounded`}`,
        ],
  )
  if (said.length === 0) return []
  return [
    `expected beside ${nameOf(chosen)}, by what ${costModel.plans} other plans measured (off by ${formatRatio(costModel.error)} on plans not seen): ${said.join('; ')}`,
  ]
}

type Further = Omit<Measurement, 'device'>

/** `2 threads of 1 (0.41 ms), 2 (0.33 ms) tried`. */
function triedLine({ tried, engine, cores }: Further): string | undefined {
  if (tried.length === 0 || engine === null) return undefined
  const all = tried.map(
    (one) =>
      `${one.threads}${one.cores ? ` on cores ${one.cores.join(',')}` : ''} (${formatMs(one.p50Ms)})`,
  )
  const on = cores ? ` on cores ${cores.join(',')}` : ''
  return `${engine.threads} thread${engine.threads === 1 ? '' : 's'}${on}, of ${all.join(', ')} tried`
}

function energyLine({ energy, withoutMeter }: Further): string | undefined {
  if (withoutMeter) return 'no energy: the device has no meter that can be read'
  return energy === null ? undefined : printEnergy(energy)
}

function soakLine({ soak }: Further): string | undefined {
  return soak === null ? undefined : printSoak(soak)
}

function recheckLine({ device, recheck }: Explanation): string[] {
  if (recheck === null) return []
  const when = recheck.at === null ? '' : `, ${recheck.at}`
  return [`${device} after the installation (${nameOf(recheck)}${when}): ${recheck.text}`]
}

const BASES: Readonly<Record<string, string>> = {
  'in-turns': 'in turns',
  'through-third': 'through another',
  'same-device': 'one after the other',
  apart: 'on different devices',
}

function candidateCells(row: Candidate): Cell[] {
  const { besideChosen } = row
  return [
    row.verdict,
    nameOf(row),
    cell(row.p50Ms, formatMs),
    cell(row.besideFloat32, printRatio),
    cell(besideChosen, (one) => `${printRatio(one)}${one.shown ? '' : ', no difference shown'}`),
    cell(besideChosen, ({ basis, devices }) => `${BASES[basis] ?? basis}, ${devices} device(s)`),
    cell(row.drop, points),
    [row.reason, ...answersOf(row), ...row.notes].join('; '),
  ]
}

function answersOf({ host }: Candidate): string[] {
  if (host === null) return []
  const { samples, accuracy, onlyThisRight, onlyFloat32Right, pValue } = host
  const right = accuracy === null ? '' : `, ${formatPercent(accuracy)} right`
  const paired =
    pValue === null
      ? ''
      : `, ${onlyThisRight} only here and ${onlyFloat32Right} only by float32, McNemar p = ${pValue.toPrecision(2)}`
  return [`${samples} samples on this host${right}${paired}`]
}

function measurementCells(of: Candidate, probe: Measurement): Cell[] {
  const verdict = [probe.verdict ?? probe.state, ...probe.flags].join(' ')
  return [
    nameOf(of),
    cell(probe.rival, nameOf),
    probe.device,
    probe.finishedAt ?? probe.orderedAt,
    probe.p50Ms === null || probe.ci95 === null
      ? '—'
      : `${formatMs(probe.p50Ms)} (${probe.ci95.map(formatMs).join('–')})${paceOf(probe)}`,
    cell(probe.ratio, printRatio),
    cell(probe.runs, String),
    cell(probe.samples, String),
    probe.error ?? `${verdict}${probe.state === 'measured' && !probe.counts ? ' (left out)' : ''}`,
    cell(probe.engine, engineOf),
  ]
}

/** `, at 30 Hz, 2 late`. */
function paceOf({ pace, soak }: Measurement): string {
  if (soak !== null) return ', before the soak'
  return pace === null ? '' : `, ${printPace(pace)}`
}

/** `tflite 2.18.0, /usr/lib/libtensorflow-lite.so (1f0c…), 2 threads`. */
function engineOf({ runtime, version, library, delegates, threads }: Engine): string {
  const files = library ? [`${library.path} (${shortDigest(library.digest)})`] : []
  const helpers = (delegates ?? []).map(({ path }) => path)
  const own = `${threads} thread${threads === 1 ? '' : 's'}`
  return [`${runtime} ${version}`, ...files, ...helpers, own].join(', ')
}

function printRatio({ p50, ci95: [low, high] }: NonNullable<Candidate['besideFloat32']>): string {
  return `${formatRatio(p50)} (${formatRatio(low)}–${formatRatio(high)})`
}

function nameOf({
  scheme,
  runtime,
}: {
  readonly scheme: string
  readonly runtime: string
}): string {
  return `${scheme} on ${runtime}`
}
