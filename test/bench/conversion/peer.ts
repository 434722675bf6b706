import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { differenceOf } from '../../../planner/conversion/difference.ts'
import { turn } from '../../../planner/conversion/prove.ts'
import { generatedSample } from '../../../planner/conversion/samples.ts'
import { realValues } from '../../../shared/dataset/index.ts'
import { formatNpy } from '../../../shared/dataset/npy.ts'
import { messageOf } from '../../../shared/errors.ts'
import { loadRuntime, type TensorInfo } from '../../../shared/runtime/index.ts'
import { ARRAY_OF, type Tensor } from '../../../shared/tensors.ts'

/** What became of a network: a file, how far it lies off at most, or why there is none. */
export type PeerResult =
  | { readonly error: number; readonly tflite: Uint8Array }
  | { readonly fails: string; readonly writes: boolean }

/** Of processor time: hosts are shared, and a wall clock would judge the neighbours. */
const LIMIT_S = 180
const TIMEOUT_MS = 1_800_000

/** onnx2tf on the same bytes; its edges may stand channels last, in any order of outputs. */
export async function convertByPeer(python: string, bytes: Uint8Array): Promise<PeerResult> {
  const folder = mkdtempSync(join(tmpdir(), 'onnx2tf-'))
  let writes = false
  try {
    const model = join(folder, 'model.onnx')
    writeFileSync(model, bytes)
    writeFileSync(join(folder, IMAGES), someImages())
    const command = [python, '-m', 'onnx2tf', '-i', model, '-o', join(folder, 'out'), '-n']
    const argv = ['-c', `ulimit -t ${LIMIT_S}; exec "$@"`, 'sh', ...command]
    // It calls programs of its own environment by name.
    const env = { ...process.env, PATH: `${dirname(python)}${delimiter}${process.env.PATH ?? ''}` }
    const limits = { cwd: folder, timeout: TIMEOUT_MS, maxBuffer: 2 ** 28, env }
    await promisify(execFile)('sh', argv, limits)
    const made = readdirSync(join(folder, 'out')).find((name) => name.endsWith('float32.tflite'))
    if (made === undefined) return { fails: 'writes nothing', writes }
    const tflite = readFileSync(join(folder, 'out', made))
    writes = true
    return { tflite, error: await errorOf(bytes, tflite) }
  } catch (error) {
    return { fails: lastWords(error).slice(0, 200), writes }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What it checks its own result on, which it would download: 20 images, 0 to 1, as NumPy stores them. */
const IMAGES = 'calibration_image_sample_data_20x128x128x3_float32.npy'

function someImages(): Uint8Array {
  const shape = [20, 128, 128, 3]
  const data = Float32Array.from(
    { length: shape.reduce((a, b) => a * b, 1) },
    (_, i) => 0.5 + 0.5 * Math.sin(i * 0.37),
  )
  return formatNpy({ type: 'float32', shape, data })
}

/** Of a Python program: the line that names the exception. */
function lastWords(error: unknown): string {
  const { stderr = '', signal = null } = error as { stderr?: string; signal?: string | null }
  if (signal !== null) return `no end in ${LIMIT_S} s of processor time`
  const lines = (stderr.trim() || messageOf(error)).split('\n')
  return (
    lines.findLast((line) => /^[\w.]*(Error|Exception|Interrupt)\b/.test(line)) ??
    lines.at(-1) ??
    ''
  )
}

/** Of its worst output, in whichever of two orders of ambiguous axes suits it better. */
async function errorOf(onnx: Uint8Array, tflite: Uint8Array): Promise<number> {
  const source = await (await loadRuntime('onnxruntime')).load(onnx)
  const theirs = await (await loadRuntime('litert')).load(tflite)
  try {
    const sample = generatedSample(source.inputs, 1)
    const expected = Object.values(await source.run(sample))
    const errors: number[] = []
    for (const pick of [0, -1]) {
      const actual = Object.values(await theirs.run(inputsFor(theirs.inputs, sample, pick)))
      errors.push(Math.max(...expected.map((wanted) => least(actual, wanted))))
    }
    return Math.min(...errors)
  } finally {
    await source.close()
    await theirs.close()
  }
}

/** Each given tensor once: by its name where that says so, else the first that fits. */
function inputsFor(
  inputs: readonly TensorInfo[],
  sample: Readonly<Record<string, Tensor>>,
  pick: number,
): Record<string, Tensor> {
  const left = new Map(Object.entries(sample))
  const byName = (name: string) =>
    [...left.keys()].find((one) => name === one || name === `serving_default_${one}:0`)
  const chosen: Record<string, Tensor> = {}
  for (const { name, type, shape } of inputs) {
    const closed = shape.map((dim) => Math.max(1, dim))
    const fitting = [...left].find(([, one]) => ordersOf(one, closed).length > 0)?.[0]
    const from = byName(name) ?? fitting
    const tensor = from === undefined ? undefined : left.get(from)
    if (from === undefined || tensor === undefined) throw new Error(`nothing fits input ${name}`)
    left.delete(from)
    const turned = ordersOf(tensor, closed).at(pick) ?? tensor
    chosen[name] = asType(turned, type)
  }
  return chosen
}

function asType(tensor: Tensor, type: Tensor['type']): Tensor {
  if (tensor.type === type) return tensor
  const values = realValues(tensor.type, tensor.data)
  const wide = type === 'int64' || type === 'uint64'
  const data = new ARRAY_OF[type](values.length)
  for (let i = 0; i < values.length; i += 1)
    data[i] = (wide ? BigInt(values[i] ?? 0) : values[i]) as never
  return { ...tensor, type, data }
}

function least(actual: readonly Tensor[], wanted: Tensor): number {
  const orders = actual.flatMap((got) => ordersOf(got, wanted.shape))
  const errors = orders.map((got) => differenceOf(asType(got, wanted.type), wanted))
  return Math.min(Number.POSITIVE_INFINITY, ...errors)
}

/** As it is, or with its channels at the other end: those that have the shape asked for. */
function ordersOf(tensor: Tensor, shape: readonly number[]): Tensor[] {
  const rank = tensor.shape.length
  const axes = Array.from({ length: rank }, (_, i) => i)
  const orders =
    rank < 3
      ? []
      : [
          [0, ...axes.slice(2), 1],
          [0, rank - 1, ...axes.slice(1, -1)],
        ]
  const all = [tensor, ...orders.map((order) => turn(tensor, order))]
  return all.filter((one) => one.shape.join() === shape.join())
}
