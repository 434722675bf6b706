import { intervalOf, QUALITY_NAMES, qualityOf } from '../../figures/candidates.ts'
import { useAnswer } from '../answers.ts'
import { pathOf } from '../api.ts'
import { Mark } from '../parts/mark.tsx'
import { type Point, TradeoffChart } from '../parts/tradeoff-chart.tsx'
import type { CandidateRow, ClassPlan, DeviceList, Explanation, ModelDetail } from '../types.ts'
import { Candidates } from './candidates.tsx'
import { Findings } from './findings.tsx'
import { LayerLosses } from './layer-losses.tsx'

interface ClassCardProps {
  readonly model: ModelDetail
  readonly plan: ClassPlan
}

/** How far a class is with a model: what was tried, what won, and why. */
export function ClassCard({ model, plan }: ClassCardProps) {
  const explanation = useExplanation(model, plan)
  const explained = (row: CandidateRow) =>
    explanation?.candidates.find((one) => one.scheme === row.scheme && one.runtime === row.runtime)
  const points = pointsOf(plan, explained)
  const quality =
    QUALITY_NAMES[plan.candidates.map(qualityOf).find((q) => q !== null)?.name ?? 'accuracy']
  const winner = plan.candidates.find(({ verdict }) => verdict === 'chosen')
  return (
    <article class="card">
      <header>
        <h3>{plan.class}</h3>
        <Mark
          state={plan.stuck ? 'stuck' : winner ? 'chosen' : 'pending'}
          words={winner ? `${winner.scheme} on ${winner.runtime}` : plan.stage.replaceAll('-', ' ')}
        />
        {plan.waiting !== '' && plan.waiting !== plan.why && (
          <span class="faint">{plan.waiting}</span>
        )}
      </header>
      {plan.why !== '' && (
        <div class={plan.stuck ? 'note warn' : 'note good'}>
          <p>{plan.why}</p>
        </div>
      )}
      {points.length > 0 && (
        <div>
          <TradeoffChart points={points} quality={quality} />
          <div class="legend">
            <span>filled: chosen</span>
            <span>ringed in colour: on the Pareto front of latency, size and {quality}</span>
            <span>bar: 95 % interval</span>
          </div>
        </div>
      )}
      <Candidates rows={plan.candidates} explained={explained} />
      <LayerLosses candidates={plan.candidates} />
      <Findings findings={winner?.findings ?? []} of={winner?.scheme} />
    </article>
  )
}

/** Intervals are of the devices of a class: any of them tells. Only of the revision that is driven now. */
function useExplanation(model: ModelDetail, plan: ClassPlan): Explanation | undefined {
  const member = useAnswer<DeviceList>('/devices', { query: { class: plan.class, limit: 1 } })
  const device = member.value?.items[0]?.id
  const path = device === undefined ? null : pathOf('models', model.name, 'explanation')
  const asked = useAnswer<Explanation>(path, {
    query: { device },
    on: ['plans'],
    about: (item) => item.model === model.name && item.class === plan.class,
  })
  return asked.value?.revision === model.revision ? asked.value : undefined
}

function pointsOf(
  { candidates }: ClassPlan,
  explained: (row: CandidateRow) => Explanation['candidates'][number] | undefined,
): readonly Point[] {
  return candidates
    .filter(({ measured }) => measured !== null)
    .map((row) => {
      const latencyMs = row.measured?.p50Ms ?? null
      return {
        name: `${row.scheme} ${row.runtime}`,
        chosen: row.verdict === 'chosen',
        latencyMs,
        bytes: row.bytes,
        quality: qualityOf(row)?.value ?? null,
        interval: intervalOf(latencyMs, explained(row)?.measurements ?? []),
      }
    })
}
