import { formatDuration } from '../../../../shared/units.ts'
import { gateRows } from '../../figures/gate-figures.ts'
import { allWaves, waveProgress } from '../../figures/wave-progress.ts'
import { Mark } from '../parts/mark.tsx'
import { Table } from '../parts/table.tsx'
import type { RolloutDetail } from '../types.ts'

/** What must hold before the next wave opens, with the numbers of now. */
export function Gates({ rollout }: { readonly rollout: RolloutDetail }) {
  const { gate, healthGate, approval, revert } = rollout
  const rows = gateRows(gate, allWaves(waveProgress(rollout.waves, rollout.counts)))
  return (
    <section aria-labelledby="gates">
      <h2 id="gates">Gates of wave {rollout.wave}</h2>
      <Table
        label="Gates"
        rows={rows}
        keyOf={({ rule }) => rule}
        columns={[
          { head: 'Rule', cell: ({ rule }) => rule },
          { head: 'Now', cell: ({ now }) => now },
          { head: 'Holds', cell: ({ holds }) => <Holds holds={holds} /> },
        ]}
      />
      <p class="faint">
        {approval ? 'An operator opens every wave after the first. ' : ''}
        {revert
          ? 'Stopped, devices get back what they had.'
          : 'Stopped, devices keep what they got.'}
      </p>
      {healthGate !== null && (
        <p>
          Each wave is watched for {formatDuration(healthGate.watchMs)}:{' '}
          {healthGate.conditions
            .map(({ metric, below, relative }) => `${metric} below ${below}${relative ? '×' : ''}`)
            .join(', ')}
          .
        </p>
      )}
    </section>
  )
}

function Holds({ holds }: { readonly holds: boolean | null }) {
  if (holds === null) return <Mark state="pending" words="too early to say" />
  return holds ? <Mark state="good" words="yes" /> : <Mark state="failed" words="no" />
}
