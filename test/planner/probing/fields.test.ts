import t from 'tap'
import type { Attempt } from '../../../planner/probing/attempts.ts'
import { type Entrant, evidenceOf } from '../../../planner/probing/evidence.ts'
import type { MatchOrder } from '../../../planner/probing/next-step.ts'
import { planTournament, type TournamentView } from '../../../planner/probing/tournament.ts'
import { choose } from '../../../planner/selection/index.ts'
import { record } from '../conductor/scripted-fleet.ts'
import { newModel } from '../storage/sample.ts'
import { prober } from './prober.ts'
import { USUAL_RULES } from './usual-rules.ts'

const { wholeQuality } = newModel.reference

const entrant = (key: string, bytes: number): Entrant => ({
  key,
  scheme: key.split('@')[0] ?? key,
  runtime: key.endsWith('@onnxruntime') ? 'onnxruntime' : 'litert',
  bytes,
  yardstick: key.endsWith('@onnxruntime') ? 'float32@onnxruntime' : 'float32',
  host: { whole: { ...wholeQuality }, slice: { ...wholeQuality } },
})

const FIRST = [
  entrant('float32', 400_000),
  entrant('static-w8a8', 110_000),
  entrant('float32@onnxruntime', 410_000),
  entrant('static-w8a8@onnxruntime', 115_000),
]
const LATER = entrant('weight-w8@onnxruntime', 112_000)

const MS: Readonly<Record<string, number>> = {
  float32: 12,
  'static-w8a8': 9,
  'float32@onnxruntime': 5,
  'static-w8a8@onnxruntime': 6,
  'weight-w8@onnxruntime': 5.05,
}

/** One device that measures what it is told, exactly. */
class Story {
  readonly attempts: Attempt[] = []
  readonly said: string[] = []
  entrants: readonly Entrant[] = FIRST
  device = prober('a')
  /** Agents of old measure the first alone. */
  knowsOthers = true

  next() {
    return planTournament({
      ...({ dataBytes: 0, rules: USUAL_RULES, acceptNoise: false } as const),
      ...({ settlingIn: false, fields: true, measuring: new Set<string>() } as const),
      entrants: this.entrants,
      attempts: this.attempts,
      devices: [this.device],
      now: new Date(1e12 + this.attempts.length),
    } satisfies TournamentView)
  }

  play(): void {
    for (let turn = 0; turn < 50; turn++) {
      const step = this.next()
      if (step.kind !== 'measure') return
      for (const order of step.orders) this.#answer(order)
    }
    throw new Error('the tournament does not end')
  }

  #answer(order: MatchOrder): void {
    const asked = [order, ...(order.others ?? [])]
    const at = String(this.said.length).padStart(3, '0')
    const ids = asked.map((_, i) => `${at}-${i}`)
    this.said.push(asked.map(({ variant }) => variant).join(' '))
    const ms = (key: string) => MS[key] ?? 20
    asked.forEach(({ variant, rival }, place) => {
      const isMeasured = place === 0 || this.knowsOthers
      const ratios = asked.flatMap((other, i) =>
        i === place ? [] : [{ probe: ids[i] ?? '', ratio: about(ms(variant) / ms(other.variant)) }],
      )
      const own = record(ms(variant), rival === null ? null : ms(variant) / ms(rival))
      this.attempts.push({
        ...{ id: ids[place] ?? '', variant, rival, device: order.device },
        state: isMeasured ? 'measured' : 'failed',
        record: isMeasured ? { ...own, ratios: this.knowsOthers ? ratios : [] } : null,
        error: isMeasured ? null : { code: 'not-beside', message: '' },
        orderedAt: new Date(1e12).toISOString(),
        finishedAt: new Date(1e12).toISOString(),
      })
    })
  }

  winner(): string | null {
    const { measured, duels } = evidenceOf(this.entrants, this.attempts, false)
    return choose({ ...USUAL_RULES, candidates: measured, duels, probers: 1 }).winner
  }
}

function about(p50: number) {
  return { p50, ci95: [0.99 * p50, 1.01 * p50] as [number, number] }
}

t.test('one order measures all candidates, and the choice is certain', async (t) => {
  const story = new Story()
  story.play()
  t.equal(story.said.length, 1, story.said.join(', '))
  t.equal(story.said[0]?.split(' ').length, 4)
  t.equal(story.winner(), 'float32@onnxruntime')
  const { measured, duels } = evidenceOf(story.entrants, story.attempts, false)
  const int8 = measured.find(({ key }) => key === 'static-w8a8')
  t.equal(int8?.latency.ratio?.p50, 0.75, 'people see it beside float32 on its own runtime')
  t.equal(duels.length, 6, 'every pair once')
})

t.test('who comes later is measured beside the leader, in one order', async (t) => {
  const story = new Story()
  story.play()
  story.entrants = [...FIRST, LATER]
  story.play()
  t.equal(story.said.length, 2, story.said.join(', '))
  t.equal(story.said[1], 'weight-w8@onnxruntime', 'its baseline is the leader')
  t.equal(story.winner(), 'weight-w8@onnxruntime', 'no difference shown, and smaller')
})

t.test('the leader comes along where it runs in something else', async (t) => {
  const story = new Story()
  story.play()
  story.entrants = [...FIRST, entrant('float16', 200_000)]
  story.play()
  t.equal(story.said[1], 'float16 float32@onnxruntime')
})

t.test('an agent that measures the first alone is asked for one after the other', async (t) => {
  const story = new Story()
  story.knowsOthers = false
  story.play()
  t.equal(story.said.filter((line) => line.includes(' ')).length, 1, story.said.join(', '))
  t.equal(story.winner(), 'float32@onnxruntime')
})

t.test('what does not lie on a device together is measured one after the other', async (t) => {
  const story = new Story()
  story.device = prober('a', { storageBytes: 900_000 })
  story.play()
  t.ok(story.said.length > 1, story.said.join(', '))
  t.equal(story.winner(), 'float32@onnxruntime')
})
