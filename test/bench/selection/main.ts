/** `npm run bench:selection [-- seed …]`: does the tournament choose as an oracle of exhaustive quiet probing would? */
import { tableText as table } from '../../../planner/cli/print/layout.ts'
import { type ModelledClass, modelledFleet } from './fleet-model.ts'
import { oracleOf, trueMs } from './oracle.ts'
import { exhaustiveSeconds, type Played, playClass } from './play.ts'
import { CONTENDED_EVERYWHERE, ORDINARY, type Weather } from './surroundings.ts'

const CLASSES = 20
const DEVICES_EACH = 50
const DUEL_MS = 3_000
/** Devices of a class that measure, and that an oracle would need as well. */
const PROBERS = 3
/** Shares of latency that no measurement of such devices tells apart. */
const TIE = 0.002
const CALM: Weather = { bursts: { loadMs: 1, quietMs: 1e12 }, throttling: 0 }

const asked = process.argv.slice(2).map(Number)
const seeds = asked.length > 0 ? asked : [1, 2, 3, 4, 5]
if (seeds.some((seed) => !Number.isSafeInteger(seed))) {
  console.error('seeds are whole numbers: npm run bench:selection -- 1 2 3')
  process.exit(2)
}

interface Outcome extends Played {
  readonly model: ModelledClass
  readonly oracle: string
  /** Share of latency given away against the oracle's choice. */
  readonly regret: number
}

/** @param earlier what the planner planned before, of other seeds too: each class is learnt from; null: nothing is learnt */
async function outcomesOf(
  seed: number,
  weather: Weather,
  earlier: readonly Outcome[] | null,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  for (const model of modelledFleet(seed, CLASSES, DEVICES_EACH, weather)) {
    const oracle = oracleOf(model)
    const known = earlier ? [...earlier, ...outcomes].flatMap(({ learnt }) => learnt) : []
    const played = await playClass(model, DUEL_MS, { known })
    const ms = (key: string) => trueMs(key, model.devices)
    const regret = played.winner === null ? 0 : Math.max(0, ms(played.winner) / ms(oracle) - 1)
    outcomes.push({ ...played, model, oracle, regret })
  }
  return outcomes
}

const mean = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
const percent = (share: number) => `${(100 * share).toFixed(1)} %`

function secondsOf(outcomes: readonly Outcome[]): number {
  return outcomes.reduce((sum, { deviceSeconds }) => sum + deviceSeconds, 0)
}

/** How the choices of all seeds compare with the oracle's. */
function standing(outcomes: readonly Outcome[]) {
  const decided = outcomes.filter(({ winner }) => winner !== null)
  const wrong = decided.filter(({ winner, oracle }) => winner !== oracle)
  return {
    classes: outcomes.length,
    decided: decided.length,
    wrong,
    sameShare: (decided.length - wrong.length) / outcomes.length,
    wrongShare: wrong.length / outcomes.length,
    regret: mean(decided.map(({ regret }) => regret)),
    ties: wrong.filter(({ regret }) => regret <= TIE).length,
    worst: Math.max(0, ...decided.map(({ regret }) => regret)),
  }
}

const ordinary: Outcome[] = []
const contended: Outcome[] = []
/** As `ordinary`, with nothing learnt from other classes. */
const unlearnt: Outcome[] = []
let exhaustive = 0
let few = 0
for (const seed of seeds) {
  console.log(
    `seed ${seed}: ${CLASSES * DEVICES_EACH} devices, ${CLASSES} classes, 12 candidates, with bursts of load, throttling and drift`,
  )
  ordinary.push(...(await outcomesOf(seed, ORDINARY, ordinary)))
  unlearnt.push(...(await outcomesOf(seed, ORDINARY, null)))
  contended.push(...(await outcomesOf(seed, CONTENDED_EVERYWHERE, contended)))
  for (const model of modelledFleet(seed, CLASSES, 1, CALM)) {
    const [quiet] = model.devices
    if (!quiet) continue
    exhaustive += await exhaustiveSeconds(model, quiet, DEVICES_EACH)
    few += await exhaustiveSeconds(model, quiet, PROBERS)
  }
}

const usual = standing(ordinary)
const busy = standing(contended)
const spent = secondsOf(ordinary)
for (const { model, winner, oracle, regret, why } of [...usual.wrong, ...busy.wrong])
  console.log(`${model.name}: ${winner}, oracle ${oracle}, ${percent(regret)} slower; ${why}`)

const rows = [
  ['same choice as the oracle', percent(usual.sameShare), '≥ 98 %', usual.sameShare >= 0.98],
  ['of the others: within 0.2 % of it', `${usual.ties} of ${usual.wrong.length}`, 'told', true],
  ['undecided', `${usual.classes - usual.decided} of ${usual.classes}`, 'counted', true],
  [
    'regret, mean (worst)',
    `${percent(usual.regret)} (${percent(usual.worst)})`,
    '≤ 1 %',
    usual.regret <= 0.01,
  ],
  [
    'device time, of the oracle’s on every device',
    percent(spent / exhaustive),
    '≤ 20 %',
    spent <= 0.2 * exhaustive,
  ],
  [
    `device time, of the oracle’s on ${PROBERS} devices a class`,
    percent(spent / few),
    '≤ 20 %',
    spent <= 0.2 * few,
  ],
  [
    'device time with nothing learnt from other classes',
    `${percent(secondsOf(unlearnt) / few)}, same choice ${percent(standing(unlearnt).sameShare)}`,
    'told',
    true,
  ],
  [
    'candidates a class that what was learnt excludes',
    mean(ordinary.map((o) => o.needless)).toFixed(2),
    'told',
    true,
  ],
  [
    'device time a class',
    `${mean(ordinary.map((o) => o.deviceSeconds)).toFixed(0)} s`,
    'told',
    true,
  ],
  [
    'probes a class (duels, disturbed)',
    `${mean(ordinary.map((o) => o.probes)).toFixed(1)} (${mean(ordinary.map((o) => o.duels)).toFixed(1)}, ${mean(ordinary.map((o) => o.disturbed)).toFixed(1)})`,
    'told',
    true,
  ],
  [
    'from the first order to the choice',
    `${mean(ordinary.map((o) => o.seconds)).toFixed(0)} s`,
    'told',
    true,
  ],
  [
    'contended everywhere: wrong choices',
    percent(busy.wrongShare),
    '≤ 1 %',
    busy.wrongShare <= 0.01,
  ],
  [
    'contended everywhere: undecided',
    `${busy.classes - busy.decided} of ${busy.classes}`,
    'counted',
    true,
  ],
] as const
console.log(
  `\n${table(
    ['WHAT', 'MEASURED', 'PROMISE', ''],
    rows.map(([what, measured, goal, met]) => [what, measured, goal, met ? 'kept' : 'BROKEN']),
  )}`,
)
process.exitCode = rows.every(([, , , met]) => met) ? 0 : 1
