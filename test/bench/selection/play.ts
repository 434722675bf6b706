import {
  type Attempt,
  type CostFacts,
  type Entrant,
  type Evidence,
  evidenceOf,
  fitCosts,
  type KnownCost,
  type MatchOrder,
  outForecast,
  type Prior,
  planTournament,
  type TournamentStep,
} from '../../../planner/probing/index.ts'
import { choose } from '../../../planner/selection/index.ts'
import { FULL_BUDGET } from '../../../shared/measure/index.ts'
import { USUAL_RULES } from '../../planner/probing/usual-rules.ts'
import type { ModelledClass, ModelledDevice } from './fleet-model.ts'
import { budgetFor, modelledField, modelledProbe } from './modelled-probe.ts'

export interface Played {
  /** Null: left undecided. */
  readonly winner: string | null
  readonly why: string
  readonly deviceSeconds: number
  readonly probes: number
  readonly duels: number
  readonly disturbed: number
  /** From the first order to the choice, s. */
  readonly seconds: number
  /** Candidates that were not measured since what other plans measured excludes them. */
  readonly needless: number
  /** What later plans may learn from this one. */
  readonly learnt: readonly KnownCost[]
}

/** Between two looks while all wait for a quiet moment. */
const TICK_MS = 5_000
const MOST_MS = 2 * 3_600_000
/** Beside the measuring, an order travels. */
const WIRE_MS = 50

export interface Circumstances {
  /** What earlier plans measured. */
  readonly known?: readonly KnownCost[]
  /** Whether one order may measure several; absent: yes. */
  readonly fields?: boolean
}

/** Plans one class as the conductor does: the real tournament, records and choice; only devices and time are modelled. */
export async function playClass(
  model: ModelledClass,
  duelMs: number,
  circumstances: Circumstances = {},
): Promise<Played> {
  const game = new Game(model, duelMs, circumstances)
  for (;;) {
    const step = game.plan()
    if (step.kind === 'over') return game.result(true)
    if (step.kind === 'measure') {
      for (const order of step.orders) await game.order(order)
      game.advance()
    } else if (step.stuck || game.now > MOST_MS) return game.result(false)
    else game.wait()
  }
}

interface Pending {
  readonly attempt: Attempt
  readonly done: Attempt
  readonly endedMs: number
}

class Game {
  now = 0
  readonly #model: ModelledClass
  readonly #duelMs: number
  readonly #attempts: Attempt[] = []
  #pending: Pending[] = []
  #deviceMs = 0
  #duels = 0
  #orders = 0
  #asked = 0
  readonly #fields: boolean
  readonly #prior: Prior

  constructor(model: ModelledClass, duelMs: number, { known = [], fields = true }: Circumstances) {
    this.#fields = fields
    this.#model = model
    this.#duelMs = duelMs
    const facts = new Map(model.entrants.map((one) => [one.key, costFacts(one)]))
    this.#prior = { costs: fitCosts(known), facts }
  }

  plan(): TournamentStep {
    return planTournament({
      entrants: this.#model.entrants,
      attempts: [...this.#attempts, ...this.#pending.map(({ attempt }) => attempt)],
      devices: this.#model.devices.map(({ prober }) => prober),
      measuring: new Set(this.#pending.map(({ attempt }) => attempt.device)),
      dataBytes: 100_000,
      rules: USUAL_RULES,
      prior: this.#prior,
      acceptNoise: false,
      fields: this.#fields,
      settlingIn: false,
      now: new Date(this.now),
    })
  }

  async order(order: MatchOrder): Promise<void> {
    const device = this.#deviceNamed(order.device)
    const budget = budgetFor(order, this.#duelMs)
    const asked = [order, ...(order.others ?? [])]
    const ids = asked.map(() => `probe-${String(this.#asked++).padStart(6, '0')}`)
    const at = this.now + WIRE_MS
    const { records, startedMs, endedMs } = order.others
      ? await modelledField(device, order, at, budget, ids)
      : await alone(modelledProbe(device, order, at, budget))
    this.#deviceMs += endedMs - startedMs
    this.#orders += 1
    if (order.match === 'duel') this.#duels += 1
    asked.forEach(({ variant, rival }, place) => {
      const attempt: Attempt = {
        ...(ids[place] !== undefined && { id: ids[place] }),
        variant,
        rival,
        device: order.device,
        state: 'ordered',
        record: null,
        error: null,
        orderedAt: new Date(this.now).toISOString(),
        finishedAt: null,
      }
      const finishedAt = new Date(endedMs).toISOString()
      const record = records[place] ?? null
      this.#pending.push({
        attempt,
        done: { ...attempt, state: 'measured', record, finishedAt },
        endedMs,
      })
    })
  }

  /** To the next answer. */
  advance(): void {
    const next = [...this.#pending].sort((a, b) => a.endedMs - b.endedMs)[0]
    if (!next) throw new Error('the tournament measures, and nobody does')
    this.now = Math.max(this.now, next.endedMs)
    // One report tells of all that an order measured.
    const isOver = ({ endedMs }: Pending) => endedMs === next.endedMs
    this.#attempts.push(...this.#pending.filter(isOver).map(({ done }) => done))
    this.#pending = this.#pending.filter((one) => !isOver(one))
  }

  wait(): void {
    this.now += TICK_MS
  }

  result(isDecided: boolean): Played {
    const { entrants } = this.#model
    const evidence = evidenceOf(entrants, this.#attempts, false)
    const { measured, duels } = evidence
    const devices = new Set(this.#attempts.map(({ device }) => device)).size
    const chosen = choose({ ...USUAL_RULES, candidates: measured, duels, probers: devices })
    return {
      winner: isDecided ? chosen.winner : null,
      why: chosen.why,
      deviceSeconds: this.#deviceMs / 1000,
      probes: this.#orders,
      duels: this.#duels,
      disturbed: this.#attempts.filter(({ record }) => record?.verdict !== 'ok').length,
      seconds: this.now / 1000,
      needless: outForecast(entrants, evidence, this.#prior, USUAL_RULES).size,
      learnt: this.#learnt(evidence),
    }
  }

  /** A yardstick without a heat of its own is known by those that were measured in turns with it. */
  #learnt({ measured, duels }: Evidence): readonly KnownCost[] {
    const times = new Map(measured.map(({ key, latency }) => [key, latency.p50Ms]))
    for (const { key, rival, ratio } of duels) {
      const own = times.get(key)
      if (own !== undefined && !times.has(rival)) times.set(rival, own / ratio.p50)
    }
    return [...times].flatMap(([key, ms]) => {
      const facts = this.#prior.facts.get(key)
      return facts ? [{ ...facts, group: this.#model.name, ms }] : []
    })
  }

  #deviceNamed(id: string): ModelledDevice {
    const found = this.#model.devices.find(({ prober }) => prober.device === id)
    if (!found) throw new Error(`no device ${id}`)
    return found
  }
}

async function alone(probed: ReturnType<typeof modelledProbe>) {
  const { record, ...when } = await probed
  return { records: [record], ...when }
}

/** All models are alike in what is known of them beforehand: only scheme and target tell. */
function costFacts({ scheme, runtime, bytes }: Entrant): CostFacts {
  return { scheme, target: runtime, macs: 1e7, operators: 40, bytes, isa: 'modelled' }
}

/** Every candidate by itself on so many devices, to the full protocol's precision, in quiet: device-seconds. */
export async function exhaustiveSeconds(
  { entrants, devices }: ModelledClass,
  quiet: ModelledDevice,
  on = devices.length,
): Promise<number> {
  let ms = 0
  for (const { key } of entrants) {
    const order = { match: 'duel', variant: key, rival: null, device: '', quietMs: 0 } as const
    const { startedMs, endedMs } = await modelledProbe(quiet, order, 0, FULL_BUDGET)
    ms += endedMs - startedMs
  }
  return (ms / 1000) * on
}
