import { readFile } from 'node:fs/promises'
import { readDataset, realValues, samplesFor } from '../../shared/dataset/index.ts'
import { AppError, messageOf } from '../../shared/errors.ts'
import { loadInProcess, type Session, type TensorInfo } from '../../shared/runtime/index.ts'
import { ARRAY_OF, sizeOf, type Tensor } from '../../shared/tensors.ts'
import { type SelfTestAnswer, selfTestJobSchema } from './self-test-protocol.ts'
import { Agreement, LEAST_AGREEMENT_DB } from './self-test-verdict.ts'

// A process of its own, because a variant may crash or hang its runtime. One job as an argument, one answer.
const answer = await selfTest(process.argv[2] ?? '')
process.send?.(answer, () => process.exit(0))

async function selfTest(text: string): Promise<SelfTestAnswer> {
  try {
    const { file, runtime, golden } = selfTestJobSchema.parse(JSON.parse(text))
    const session = await (await loadInProcess(runtime)).load(await readFile(file))
    return golden === null ? await runOnZeros(session) : await runOnGolden(session, golden)
  } catch (error) {
    const code = error instanceof AppError ? error.code : 'internal'
    return { ok: false, code, message: messageOf(error) }
  }
}

async function runOnGolden(session: Session, path: string): Promise<SelfTestAnswer> {
  const golden = await readDataset(path)
  const samples = samplesFor(golden, session.inputs)
  const agreement = new Agreement()
  for (let sample = 0; sample < samples.count; sample += 1) {
    const outputs = await session.run(samples.at(sample))
    for (const [name, reference] of golden.references) {
      const info = session.outputs.find((output) => name === '' || output.name === name)
      const output = info && outputs[info.name]
      if (!info || !output) return failed('self-test-failed', `the variant has no output "${name}"`)
      const size = sizeOf(reference.shape.slice(1))
      const expected = realValues(reference.type, reference.data)
      const values = Array.from({ length: size }, (_, i) => expected[sample * size + i] ?? 0)
      agreement.add(values, realOutput(info, output))
    }
  }
  return verdict(agreement, samples.count)
}

function verdict(agreement: Agreement, samples: number): SelfTestAnswer {
  const { notFinite, decibels, values } = agreement
  if (values === 0) return failed('self-test-failed', 'the golden data has no array "reference"')
  if (notFinite > 0)
    return failed('self-test-failed', `${notFinite} of ${values} outputs are NaN or infinite`)
  if (decibels >= LEAST_AGREEMENT_DB) return { ok: true, samples }
  return failed(
    'self-test-failed',
    `outputs do not agree with the golden ones: signal to error ${decibels.toFixed(1)} dB over ${samples} samples, at least ${LEAST_AGREEMENT_DB} dB expected`,
  )
}

async function runOnZeros(session: Session): Promise<SelfTestAnswer> {
  const inputs = session.inputs.map((info) => [info.name, zerosFor(info)] as const)
  const outputs = await session.run(Object.fromEntries(inputs))
  for (const info of session.outputs) {
    const output = outputs[info.name]
    const values = output ? Array.from(realOutput(info, output)) : []
    if (!values.every(Number.isFinite)) {
      return failed('self-test-failed', `output "${info.name}" of an all-zero input is not finite`)
    }
  }
  return { ok: true, samples: 1 }
}

function zerosFor({ type, shape }: TensorInfo): Tensor {
  const concrete = shape.map((dim) => (dim < 0 ? 1 : dim))
  return { type, shape: concrete, data: new ARRAY_OF[type](sizeOf(concrete)) }
}

function realOutput(info: TensorInfo, output: Tensor): ArrayLike<number> {
  const values = realValues(output.type, output.data)
  const { quantization } = info
  if (!quantization) return values
  return Array.from(values, (q) => quantization.scale * (q - quantization.zeroPoint))
}

function failed(code: string, message: string): SelfTestAnswer {
  return { ok: false, code, message }
}
