import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runProbe } from '../../agent/probe/index.ts'
import { bundledProfilesDir, classify, loadProfiles } from '../../planner/classes/index.ts'
import { referenceTarget } from '../../planner/targets/index.ts'
import { quantize } from '../../planner/variants/quantizer.ts'
import { toArrays, writeNpz } from '../../shared/dataset/index.ts'
import { hardwareReportSchema } from '../../shared/messages/hardware-report.ts'
import type { ModelFormat } from '../../shared/runtime/index.ts'
import { parseScheme } from '../../shared/schemes.ts'
import type { QualityRow, QualitySubject, QualityTable } from '../bench/quality/subject.ts'
import { BOARDS, startBoard, withoutBoards } from './boards.ts'
import { differenceOf } from './differences.ts'
import { answersOf, HOST, type Machine, type Question, runOn, withoutProgram } from './machine.ts'
import { type Source, sources } from './sources.ts'

const QEMU = 'qemu-aarch64'
const SAMPLES = 100
/** Kernels that add two quantized tensors round halves in another way on ARM. */
const AGREEMENT = 0.99
const REPORT = fileURLToPath(new URL('./report.js', import.meta.url))

const FILES: readonly (readonly [format: ModelFormat, scheme: string])[] = [
  ['onnx', 'float32'],
  ['onnx', 'static-w8a8-s8s8'],
  ['onnx', 'static-w8a8-u8s8'],
  ['tflite', 'float32'],
  ['tflite', 'static-w8a8'],
]

/** Agent, probe and files on ARM boards. */
export const arm64: QualitySubject = {
  name: 'arm64',
  unavailable: () =>
    process.platform === 'linux' ? (withoutProgram(QEMU) ?? withoutBoards()) : 'needs a Linux host',
  run: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fitment-emulated-'))
    try {
      const boards: Machine[] = []
      for (const one of BOARDS) boards.push(await startBoard(one))
      const files = await filesOf(folder, await sources(SAMPLES))
      return [
        await reports(boards),
        await answers(folder, boards, files),
        await probes(boards, files),
      ]
    } finally {
      await rm(folder, { recursive: true })
    }
  },
}

/** What the agent tells from there, and what the planner makes of it. */
async function reports(boards: readonly Machine[]): Promise<QualityTable> {
  const profiles = await loadProfiles(bundledProfilesDir())
  const rows: QualityRow[] = []
  for (const [i, machine] of boards.entries()) {
    const report = hardwareReportSchema.parse(JSON.parse(await runOn(machine, REPORT)))
    const match = classify(report, profiles)
    const form = match.profile?.numerics.onnxForm ?? 'none'
    const dot = report.cpu.features.includes('asimddp') ? 'yes' : 'no'
    rows.push({
      cells: [machine.name, report.architecture, report.cpu.model, dot, match.class, form],
      promise: {
        text: `${BOARDS[i]?.class}, s8s8`,
        kept: match.class === BOARDS[i]?.class && form === 's8s8',
      },
    })
  }
  return {
    title: 'what the agent reports from there',
    columns: ['BOARD', 'ARCHITECTURE', 'CPU', 'DOT PRODUCT', 'CLASS', 'ONNX FORM'],
    rows,
    notes: [],
  }
}

interface File {
  readonly source: Source
  readonly scheme: string
  readonly question: Question
}

async function filesOf(folder: string, all: readonly Source[]): Promise<File[]> {
  const files: File[] = []
  for (const [i, source] of all.entries()) {
    const samples = join(folder, `${i}.npz`)
    await writeNpz(samples, toArrays(source.test))
    for (const [format, scheme] of FILES) {
      const float = source[format]
      if (float === null) continue
      const { calibration } = source
      const request = {
        model: float,
        target: referenceTarget(format),
        scheme: parseScheme(scheme),
        calibration,
      }
      const bytes = scheme === 'float32' ? float : (await quantize(request)).bytes
      const name = `${i}-${scheme}-${format}`
      const model = join(folder, `${name}.${format}`)
      await writeFile(model, bytes)
      files.push({
        source,
        scheme: `${scheme}.${format}`,
        question: { name, model, format, samples },
      })
    }
  }
  return files
}

async function answers(
  folder: string,
  boards: readonly Machine[],
  files: readonly File[],
): Promise<QualityTable> {
  const questions = files.map(({ question }) => question)
  const here = await answersOf(HOST, folder, questions)
  const there: (typeof here)[] = []
  for (const machine of boards) there.push(await answersOf(machine, folder, questions))
  const rows = files.map(({ source, scheme, question: { name } }): QualityRow => {
    const [expected] = here.get(name)?.values() ?? []
    const found = there.map((one) => {
      const [answer] = one.get(name)?.values() ?? []
      if (!expected || !answer) throw new Error(`${name} was not answered`)
      return differenceOf(expected, answer)
    })
    return {
      cells: [
        source.name,
        scheme,
        ...found.map(({ agreement, worst }) => `${agreement.toFixed(3)}, ${worst.toPrecision(2)}`),
      ],
      promise: {
        text: `agreement ≥ ${AGREEMENT}`,
        kept: found.every(({ agreement }) => agreement >= AGREEMENT),
      },
    }
  })
  return {
    title: `answers there beside this host's, up to ${SAMPLES} unseen samples: agreement, largest difference of an output`,
    columns: ['MODEL', 'FILE', ...boards.map(({ name }) => name.toUpperCase())],
    rows,
    notes: [],
  }
}

/** Our probe, with its child process on the board, and on this host. */
async function probes(boards: readonly Machine[], files: readonly File[]): Promise<QualityTable> {
  const asked = files.filter(
    ({ source, scheme }) => source.name === 'motor-faults' && scheme.startsWith('static'),
  )
  const rows: QualityRow[] = []
  for (const { scheme, question } of asked) {
    const here = await probeOn(HOST, question)
    const there = []
    for (const machine of boards) there.push((await probeOn(machine, question)).quality.accuracy)
    const kept = there.every((accuracy) => accuracy === here.quality.accuracy)
    const cells = [here.quality.accuracy, ...there].map(String)
    rows.push({ cells: [scheme, ...cells], promise: { text: 'as on the host', kept } })
  }
  return {
    title: `accuracy of motor-faults as our probe measures it there, ${SAMPLES} samples`,
    columns: ['FILE', 'HOST', ...boards.map(({ name }) => name.toUpperCase())],
    rows,
    notes: [],
  }
}

/** A probe starts its child with the program that runs this process. */
async function probeOn({ node }: Machine, { model, format, samples }: Question) {
  const { execPath } = process
  process.execPath = node
  try {
    return await runProbe({
      modelPath: model,
      engine: { runtime: referenceTarget(format) },
      threads: 1,
      datasetPath: samples,
      baseline: null,
      measureMs: 200,
      timeoutMs: 300_000,
      memoryLimitBytes: null,
      root: '/',
    })
  } finally {
    process.execPath = execPath
  }
}
