import { access } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MetricError } from '../errors.ts'
import type { Answer, Meter, Score } from '../meter.ts'
import type { Metric } from '../metric.ts'
import { keysOf, number, readParameters } from '../parameters.ts'
import { ScriptThread } from './script-thread.ts'

const PARAMETERS = {
  seconds: number(10, [0.1, 3600], 'longest that one sample may take'),
}

/** A user's own metric, asked once which way is better. @throws MetricError */
export async function scriptMetric(text: string): Promise<Metric> {
  const [path = '', ...pairs] = text.split(',').map((part) => part.trim())
  const { seconds } = readParameters(path, PARAMETERS, keysOf(path, pairs)) as { seconds: number }
  await access(path).catch((cause: unknown) => {
    throw new MetricError('script-failed', `there is no metric file ${path}`, { path }, { cause })
  })
  const open = () => new ScriptThread(pathToFileURL(resolve(path)).href, path, 1000 * seconds)
  const asked = open()
  try {
    const { direction, unit } = await asked.ask('started', { kind: 'start' })
    return { text, direction, unit, labels: null, start: () => meterIn(open()) }
  } finally {
    await asked.close()
  }
}

function meterIn(thread: ScriptThread): Meter {
  let started: Promise<unknown> | undefined
  const ready = () => {
    started ??= thread.ask('started', { kind: 'start' })
    return started
  }
  return {
    async add(answer: Answer): Promise<void> {
      await ready()
      await thread.ask('added', { kind: 'add', answer: copied(answer) })
    },
    async score(): Promise<Score> {
      await ready()
      return (await thread.ask('scored', { kind: 'score' })).score
    },
    close: () => thread.close(),
  }
}

/** Views of a whole data set would travel with all of it. */
function copied({ outputs, truth, reference }: Answer): Answer {
  const own = (values: ArrayLike<number>) => Float64Array.from(values)
  return {
    outputs: outputs.map((one) => ({ ...one, values: own(one.values) })),
    truth: new Map(
      [...truth].map(([name, one]) => [name, { shape: one.shape, values: own(one.values) }]),
    ),
    reference: reference && new Map([...reference].map(([name, values]) => [name, own(values)])),
  }
}
