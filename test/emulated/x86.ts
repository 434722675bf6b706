import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { quantize } from '../../planner/variants/quantizer.ts'
import { takeSamples, toArrays, writeNpz } from '../../shared/dataset/index.ts'
import { parseScheme } from '../../shared/schemes.ts'
import type { Tensor } from '../../shared/tensors.ts'
import { decibels } from '../bench/quality/figures.ts'
import type { QualityRow, QualitySubject, QualityTable } from '../bench/quality/subject.ts'
import { differenceOf } from './differences.ts'
import {
  answersOf,
  emulated,
  HOST,
  type Machine,
  type Question,
  withoutProgram,
} from './machine.ts'
import { productsOf } from './products.ts'
import { type Source, saturating, sources, transformer } from './sources.ts'

const QEMU = 'qemu-x86_64'
const SAMPLES = 200
/** Activations of so many samples run through each product alone. */
const WATCHED = 8
const STATIC = ['static-w8a8-u8s8', 'static-w8a8-u8s8-rr', 'static-w8a8-s8s8']
/** Layers that often saturate stay in float. */
const ISLANDS = 'static-w8a8-u8s8-mixed'
/** Float kernels of AVX2 and AVX-512 add in other orders. */
const SAME = 1e-5
/** A sum that differs by that may be rounded to the next code. */
const DYNAMIC = 0.05

type Answers = ReadonlyMap<string, ReadonlyMap<string, Tensor>>

/** x86 without VNNI: how near whole models stay there. */
export const x86Models = subject('x86-models', wholeModels)
/** Which products saturate there, and whether we said so. */
export const x86Products = subject('x86-products', singleProducts)

function subject(
  name: string,
  ask: (folder: string, machine: Machine) => Promise<QualityTable>,
): QualitySubject {
  return {
    name,
    unavailable: () => (process.arch === 'x64' ? withoutProgram(QEMU) : 'needs an x86 host'),
    run: async () => {
      const folder = await mkdtemp(join(tmpdir(), 'fitment-emulated-'))
      try {
        const command = [QEMU, '-cpu', 'Haswell', process.execPath]
        return [await ask(folder, await emulated(folder, 'Haswell', command))]
      } finally {
        await rm(folder, { recursive: true })
      }
    },
  }
}

async function wholeModels(folder: string, machine: Machine): Promise<QualityTable> {
  const asked: { source: Source; scheme: string; question: Question }[] = []
  const all = [
    { source: saturating(), schemes: STATIC },
    ...(await sources(SAMPLES)).map((source) => ({ source, schemes: [...STATIC, ISLANDS] })),
    { source: transformer(), schemes: ['dynamic-w8', 'dynamic-w8-rr', 'weight-w4-b32', ...STATIC] },
  ]
  for (const [i, { source, schemes }] of all.entries()) {
    const samples = join(folder, `${i}.npz`)
    await writeNpz(samples, toArrays(source.test))
    for (const scheme of ['float32', ...schemes]) {
      const bytes = scheme === 'float32' ? source.onnx : await quantized(source, scheme)
      asked.push({
        source,
        scheme,
        question: await question(folder, `${i}-${scheme}`, bytes, samples),
      })
    }
  }
  const questions = asked.map((one) => one.question)
  const here = await answersOf(HOST, folder, questions)
  const there = await answersOf(machine, folder, questions)
  return {
    title: `onnxruntime on ${machine.name} (AVX2, no VNNI) and on this host, up to ${SAMPLES} unseen samples: agreement and SQNR with float32`,
    columns: ['MODEL', 'SCHEME', 'HOST', machine.name.toUpperCase(), 'NOT THE SAME', 'WORST'],
    rows: asked.map(({ source, scheme, question: { name } }) => {
      const float = output(here, `${name.split('-')[0]}-float32`)
      const [at, away] = [output(here, name), output(there, name)]
      const { share, worst } = differenceOf(at, away)
      const cells = [source.name, scheme, ...[at, away].map((one) => nearness(float, one))]
      return {
        cells: [...cells, `${(100 * share).toFixed(2)} %`, worst.toPrecision(3)],
        ...promiseOf(source, scheme, worst),
      }
    }),
    notes: [],
  }
}

/** The first model shows that the emulated processor takes the kernels in question at all. */
function promiseOf(source: Source, scheme: string, worst: number): Pick<QualityRow, 'promise'> {
  const proof = source.name === saturating().name
  if (proof && scheme === 'static-w8a8-u8s8')
    return { promise: { text: 'saturates', kept: worst > 30 } }
  if (!scheme.endsWith('-rr')) return {}
  // Between integer products of dynamic schemes stand float kernels.
  const most = scheme.startsWith('dynamic') ? DYNAMIC : SAME
  return { promise: { text: `as on the host, ≤ ${most}`, kept: worst <= most } }
}

async function singleProducts(folder: string, machine: Machine): Promise<QualityTable> {
  const rows: QualityRow[] = []
  for (const [i, source] of [...(await sources(SAMPLES)), transformer()].entries()) {
    const { bytes, findings } = await quantize({
      model: source.onnx,
      target: 'onnxruntime',
      scheme: parseScheme('static-w8a8-u8s8'),
      calibration: source.calibration,
    })
    const told = findings.find(({ code }) => code === 'int16-saturation')
    const products = await productsOf(bytes, takeSamples(source.calibration, WATCHED))
    const questions: Question[] = []
    for (const [j, product] of products.entries()) {
      const samples = join(folder, `p${i}-${j}.npz`)
      await writeNpz(samples, [['x', product.activations]])
      questions.push(await question(folder, `p${i}-${j}`, product.bytes, samples))
    }
    const here = await answersOf(HOST, folder, questions)
    const there = await answersOf(machine, folder, questions)
    const shares = questions.map(
      ({ name }) => differenceOf(output(here, name), output(there, name)).share,
    )
    const could = products.map(({ name }) => told?.where?.split(', ').includes(name) === true)
    const often = products.map(
      ({ name }) => told?.message.split('often will in')[1]?.includes(`"${name}"`) === true,
    )
    const count = (law: (j: number) => boolean) => products.filter((_, j) => law(j)).length
    const differs = (least: number) => (j: number) => (shares[j] as number) > least
    const missed = count((j) => differs(0)(j) && could[j] !== true)
    rows.push({
      cells: [
        source.name,
        String(products.length),
        `${count(differs(0))}, ${count(differs(0.01))}`,
        `${count((j) => could[j] === true)}, ${count((j) => often[j] === true)}`,
        String(count((j) => differs(0.01)(j) && often[j] !== true)),
      ],
      promise: { text: 'no product saturates that was not named', kept: missed === 0 },
    })
  }
  return {
    title: `products alone, on what they read for ${WATCHED} calibration samples: which answer otherwise on ${machine.name}, and which the finding int16-saturation named`,
    columns: [
      'MODEL',
      'PRODUCTS',
      'SATURATE, IN OVER 1 %',
      'NAMED, AS OFTEN',
      'OVER 1 %, NOT AS OFTEN',
    ],
    rows,
    notes: [],
  }
}

async function quantized(
  { onnx: model, calibration }: Source,
  scheme: string,
): Promise<Uint8Array> {
  const request = { model, target: 'onnxruntime', scheme: parseScheme(scheme) } as const
  const options = { spareSaturating: scheme === ISLANDS }
  return (await quantize({ ...request, calibration, options })).bytes
}

async function question(
  folder: string,
  name: string,
  bytes: Uint8Array,
  samples: string,
): Promise<Question> {
  const model = join(folder, `${name}.onnx`)
  await writeFile(model, bytes)
  return { name, model, format: 'onnx', samples }
}

function output(answers: Answers, name: string): Tensor {
  const [first] = answers.get(name)?.values() ?? []
  if (first === undefined) throw new Error(`${name} was not answered`)
  return first
}

function nearness(float: Tensor, found: Tensor): string {
  const { agreement, sqnrDb } = differenceOf(float, found)
  return `${agreement.toFixed(3)}, ${decibels(sqnrDb)}`
}
