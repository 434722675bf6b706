import { formatBytes } from '../../../../shared/units.ts'
import { counted, moment } from '../../figures/wording.ts'
import { type Answered, useAnswer } from '../answers.ts'
import { pathOf } from '../api.ts'
import type { PageProps } from '../page-props.ts'
import { Mark } from '../parts/mark.tsx'
import { Answer, Fact } from '../parts/notice.tsx'
import { Title } from '../parts/title.tsx'
import { Link } from '../router.tsx'
import { useMay } from '../session.ts'
import type { RolloutDetail } from '../types.ts'
import { Gates } from './gates.tsx'
import { Members } from './members.tsx'
import { RolloutActions } from './rollout-actions.tsx'
import { Waves } from './wave-bars.tsx'

export function RolloutPage({ named: { rollout = '' } }: PageProps) {
  const asked: Answered<RolloutDetail> = useAnswer(pathOf('rollouts', rollout), {
    on: ['rollouts', 'plans', 'devices'],
    about: (item) => concerns(item, rollout, asked.value),
  })
  const may = useMay()
  const { value } = asked
  return (
    <>
      <Title
        text={value ? `${value.model} r${value.revision} to ${value.class}` : 'Rollout'}
        crumb={<Link to="rollouts">Rollouts</Link>}
        beside={value && <Mark state={value.state} />}
        actions={
          value && may('operator') ? (
            <RolloutActions rollout={value} again={asked.again} />
          ) : undefined
        }
      />
      <Answer of={asked} what="the rollout">
        {(detail) => <Detail rollout={detail} />}
      </Answer>
    </>
  )
}

/**
 * Its reason is told as a plan of its model and class, and a rollout of the same that takes its place or its devices by that
 * one's name. A device that is retired or removed leaves it by no other event than the device's own.
 */
function concerns(
  item: Readonly<Record<string, unknown>>,
  rollout: string,
  known: RolloutDetail | undefined,
): boolean {
  if (item.device !== undefined || item.rollout === rollout) return true
  return known !== undefined && item.model === known.model && item.class === known.class
}

function Detail({ rollout }: { readonly rollout: RolloutDetail }) {
  return (
    <>
      <Reason rollout={rollout} />
      <section aria-labelledby="waves">
        <h2 id="waves">Waves</h2>
        <Waves rollout={rollout} />
      </section>
      <Gates rollout={rollout} />
      <Causes rollout={rollout} />
      <Facts rollout={rollout} />
      <Members rollout={rollout} />
    </>
  )
}

/** Why it stands where it stands; loud where somebody must do something. */
function Reason({ rollout: { state, reason, pausedUntil } }: { readonly rollout: RolloutDetail }) {
  if (reason === '' && pausedUntil === null) return null
  const look = state === 'aborted' ? 'note bad' : state === 'paused' ? 'note warn' : 'note'
  return (
    <div class={look} role="status">
      <p>
        {reason}
        {pausedUntil !== null && ` It goes on by itself at ${moment(pausedUntil)} UTC.`}
      </p>
    </div>
  )
}

function Causes({ rollout: { causes } }: { readonly rollout: RolloutDetail }) {
  if (causes.length === 0) return null
  return (
    <section aria-labelledby="causes">
      <h2 id="causes">Failures by cause</h2>
      <ul class="causes">
        {causes.map(({ error, devices, example }) => (
          <li key={error} class="note bad">
            <p>
              <strong>
                <Mark state="failed" words={counted(devices, 'device')} />
              </strong>
              {': '}
              {error}
            </p>
            <p class="faint">
              for example{' '}
              <Link to="device" named={{ device: example }}>
                {example}
              </Link>
            </p>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Facts({ rollout }: { readonly rollout: RolloutDetail }) {
  const { model, revision, scheme, runtime, bytes, where, createdAt, updatedAt, why } = rollout
  return (
    <section aria-labelledby="variant">
      <h2 id="variant">What is rolled out</h2>
      <dl class="facts">
        <Fact term="Variant">
          {scheme} on {runtime}
          <br />
          <span class="faint">{formatBytes(bytes)}</span>
        </Fact>
        <Fact term="Model">
          <Link
            to="model"
            named={{ model }}
            query={{ revision: String(revision), class: rollout.class }}
          >
            {model} r{revision}
          </Link>
        </Fact>
        <Fact term="For">
          {where ?? 'every device'} of {rollout.class}
        </Fact>
        <Fact term="Begun, moved (UTC)">
          {moment(createdAt)}
          <br />
          <span class="faint">{moment(updatedAt)}</span>
        </Fact>
      </dl>
      {why !== '' && (
        <div class="note">
          <p>{why}</p>
        </div>
      )}
    </section>
  )
}
