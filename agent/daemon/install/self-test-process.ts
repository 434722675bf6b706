import { readFile } from 'node:fs/promises'
import { readDataset } from '../../../shared/dataset/index.ts'
import { AppError, messageOf } from '../../../shared/errors.ts'
import { parseJson } from '../../../shared/json.ts'
import { evaluate } from '../../../shared/measure/index.ts'
import {
  loadOn,
  openHere,
  type Session,
  startQuickly,
  type TensorInfo,
  zerosFor,
} from '../../../shared/runtime/index.ts'
import { type SelfTestAnswer, selfTestJobSchema } from './self-test-protocol.ts'

/**
 * Least ratio of signal to error, dB, at which outputs count as those of the expected model.
 *
 * The question is whether the variant is whole and runs here, not how accurate it is: that was
 * measured before it was chosen. A constant or shuffled output has about 0 dB against class scores, and
 * one flipped answer in eight still leaves 6 dB: 3 dB lies between.
 */
const LEAST_AGREEMENT_DB = 3

// A few samples are all it runs.
startQuickly()

// A process of its own, because a variant may crash or hang its runtime. One job as an argument, one answer.
const answer = await selfTest(process.argv[2] ?? '')
process.send?.(answer, () => process.exit(0))

async function selfTest(text: string): Promise<SelfTestAnswer> {
  try {
    const { file, engine, threads, what, golden } = parseJson(selfTestJobSchema, text)
    const runtime = await openHere(engine)
    const options = threads === undefined ? {} : { threads }
    const session = await loadOn(runtime, engine, await readFile(file), options)
    if (what === 'look') return good(session, 0)
    return golden === null ? await runOnZeros(session) : await runOnGolden(session, golden)
  } catch (error) {
    const code = error instanceof AppError ? error.code : 'internal'
    return { ok: false, code, message: messageOf(error) }
  }
}

async function runOnGolden(session: Session, path: string): Promise<SelfTestAnswer> {
  const { samples, sqnrDb, notFinite } = await evaluate(session, await readDataset(path))
  if (notFinite > 0) return failed(`${notFinite} output values are NaN or infinite`)
  if (sqnrDb === null) return failed('the golden data has no array "reference" for its outputs')
  if (sqnrDb >= LEAST_AGREEMENT_DB) return good(session, samples)
  return failed(
    `outputs do not agree with the golden ones: signal to error ${sqnrDb.toFixed(1)} dB over ${samples} samples, at least ${LEAST_AGREEMENT_DB} dB expected`,
  )
}

async function runOnZeros(session: Session): Promise<SelfTestAnswer> {
  const outputs = await session.run(zerosFor(session.inputs))
  for (const [name, { data }] of Object.entries(outputs)) {
    const isUsable = Array.from(data as ArrayLike<number | bigint>, Number).every(Number.isFinite)
    if (!isUsable) return failed(`output "${name}" of an all-zero input is not finite`)
  }
  return good(session, 1)
}

function good({ inputs, outputs }: Session, samples: number): SelfTestAnswer {
  return { ok: true, samples, inputs: inputs.map(bare), outputs: outputs.map(bare) }
}

function bare({ shape, ...info }: TensorInfo) {
  return { ...info, shape: [...shape] }
}

function failed(message: string): SelfTestAnswer {
  return { ok: false, code: 'self-test-failed', message }
}
