import { useState } from 'preact/hooks'
import { pathTo, withQuery } from '../../figures/place.ts'
import { typedSelector, typedWaves } from '../../figures/waves-text.ts'
import { ask, pageProblem, pathOf } from '../api.ts'
import type { PageProps } from '../page-props.ts'
import { useDoing } from '../parts/dialog.tsx'
import { Field, Text, Tick } from '../parts/fields.tsx'
import { Empty, ProblemNote } from '../parts/notice.tsx'
import { Title } from '../parts/title.tsx'
import { go, Link, useQuery } from '../router.tsx'
import { useMay } from '../session.ts'
import type { RolloutStatus } from '../types.ts'

/** A form's texts, as they were typed. */
interface Wish {
  readonly waves: string
  readonly where: string
  readonly successPercent: string
  readonly failurePercent: string
  readonly minimumSample: string
  readonly perMinute: string
  readonly approval: boolean
  readonly revert: boolean
  readonly atOnce: boolean
  readonly after: boolean
  readonly acceptNoise: boolean
}

const USUAL: Wish = {
  waves: '1, 10%, 100%',
  where: '',
  successPercent: '90',
  failurePercent: '20',
  minimumSample: '3',
  perMinute: '',
  approval: false,
  revert: true,
  atOnce: false,
  after: false,
  acceptNoise: false,
}

export function NewRolloutPage({ named: { model = '' } }: PageProps) {
  const may = useMay()
  const [{ revision }] = useQuery()
  return (
    <>
      <Title
        text={`Roll out ${model}${revision === undefined ? '' : ` r${revision}`}`}
        crumb={
          <Link to="model" named={{ model }}>
            {model}
          </Link>
        }
      />
      {may('operator') ? (
        <NewRollout model={model} revision={revision} />
      ) : (
        <Empty>Rolling out takes the role of an operator.</Empty>
      )}
    </>
  )
}

interface NewRolloutProps {
  readonly model: string
  readonly revision: string | undefined
}

function NewRollout({ model, revision }: NewRolloutProps) {
  const [wish, setWish] = useState(USUAL)
  const doing = useDoing()
  return (
    <form
      class="card"
      onSubmit={(event) => {
        event.preventDefault()
        doing.run(async () => {
          const body = {
            ...bodyOf(wish),
            ...(revision !== undefined && { revision: Number(revision) }),
          }
          await ask<RolloutStatus>(pathOf('models', model, 'rollout'), { method: 'POST', body })
          go(withQuery(pathTo('rollouts'), { model }))
        })
      }}
    >
      <Fields wish={wish} onWish={setWish} />
      <Ticks wish={wish} onWish={setWish} />
      <ProblemNote problem={doing.problem} />
      <div class="actions">
        <button type="submit" class="main" disabled={doing.isBusy}>
          {doing.isBusy ? 'One moment …' : 'Begin'}
        </button>
      </div>
    </form>
  )
}

type TextName = {
  readonly [K in keyof Wish]: Wish[K] extends string ? K : never
}[keyof Wish]

const TEXTS: readonly (readonly [TextName, string, string, 'text' | 'number'])[] = [
  ['waves', 'Waves', 'How many devices are reached in all: 1, 10%, site=pilot, 100%.', 'text'],
  ['where', 'Only where', 'Labels: site=hall-2, line!=3. Empty: every device.', 'text'],
  ['successPercent', 'Of a wave must succeed', '%, before the next wave opens.', 'number'],
  ['failurePercent', 'Stop above so many failures', '%, beyond doubt (95 %).', 'number'],
  ['minimumSample', 'But never on fewer than', 'devices that have settled.', 'number'],
  ['perMinute', 'Devices a minute', 'Empty: as many as a wave has.', 'number'],
]

interface WishProps {
  readonly wish: Wish
  readonly onWish: (wish: Wish) => void
}

function Fields({ wish, onWish }: WishProps) {
  return (
    <div class="fields">
      {TEXTS.map(([key, label, hint, type]) => (
        <Field key={key} label={label} hint={hint}>
          <Text type={type} value={wish[key]} onText={(text) => onWish({ ...wish, [key]: text })} />
        </Field>
      ))}
    </div>
  )
}

const TICKS = [
  ['approval', 'An operator opens every wave after the first'],
  ['revert', 'If it is stopped, devices get back what they had'],
  ['atOnce', 'Windows of maintenance are not waited for'],
  ['after', 'If another revision is under way, begin once that has ended'],
  ['acceptNoise', 'Choose from measurements of disturbed devices too'],
] as const

function Ticks({ wish, onWish }: WishProps) {
  return (
    <div class="field">
      {TICKS.map(([key, label]) => (
        <Tick
          key={key}
          label={label}
          checked={wish[key]}
          onTick={(checked) => onWish({ ...wish, [key]: checked })}
        />
      ))}
    </div>
  )
}

/** What the planner is asked for. @throws Problem naming what was typed wrong */
function bodyOf(wish: Wish): Readonly<Record<string, unknown>> {
  const { approval, revert, atOnce, after, acceptNoise } = wish
  const waves = typedWaves(wish.waves)
  if ('problem' in waves) throw pageProblem(`Waves: ${waves.problem}.`)
  const where = typedSelector(wish.where)
  if ('problem' in where) throw pageProblem(`Only where: ${where.problem}.`)
  return {
    waves: waves.value,
    ...(where.value.length > 0 && { where: where.value }),
    gate: {
      successShare: Number(wish.successPercent) / 100,
      failureThreshold: Number(wish.failurePercent) / 100,
      minimumSample: Number(wish.minimumSample),
    },
    ...(wish.perMinute !== '' && { rate: { maximumPerMinute: Number(wish.perMinute) } }),
    ...{ approval, revert, atOnce, after, acceptNoise, wait: false },
  }
}
