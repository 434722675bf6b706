import { allWaves, type Standings, waveProgress } from '../../figures/wave-progress.ts'
import { count } from '../../figures/wording.ts'
import type { RolloutSummary } from '../types.ts'

const PARTS = ['active', 'failed', 'moving', 'aside'] as const

/** Parts of a whole, told in words beside it. */
function Bar({ figures }: { readonly figures: Standings }) {
  const total = PARTS.reduce((sum, part) => sum + figures[part], 0)
  return (
    <div class="bar" aria-hidden="true">
      {PARTS.map((part) =>
        figures[part] === 0 ? null : (
          <i key={part} class={part} style={{ width: `${(figures[part] / total) * 100}%` }} />
        ),
      )}
    </div>
  )
}

function told(figures: Standings, nobody = 'not begun'): string {
  const words = [
    [figures.active, 'active'],
    [figures.failed, 'failed'],
    [figures.moving, 'on their way'],
    [figures.aside, 'aside'],
  ] as const
  const said = words.filter(([devices]) => devices > 0)
  return said.length === 0
    ? nobody
    : said.map(([devices, what]) => `${count(devices)} ${what}`).join(', ')
}

/** All waves together, for a list. */
export function WaveBar({ rollout: { waves, counts } }: { readonly rollout: RolloutSummary }) {
  const figures = allWaves(waveProgress(waves, counts))
  return (
    <div class="bar-and-words">
      <Bar figures={figures} />
      <span>{told(figures)}</span>
    </div>
  )
}

/** Wave by wave, as they fill. */
export function Waves({ rollout }: { readonly rollout: RolloutSummary }) {
  return (
    <ol class="waves">
      {waveProgress(rollout.waves, rollout.counts).map((wave) => (
        <li
          key={wave.wave}
          class="wave"
          aria-current={wave.wave === rollout.wave ? 'step' : undefined}
        >
          <span>
            Wave {wave.wave} <span class="faint">to {wave.text}</span>
          </span>
          <Bar figures={wave} />
          <span>{told(wave, wave.wave <= rollout.wave ? 'nobody more' : 'not begun')}</span>
        </li>
      ))}
    </ol>
  )
}
