import { formatBytes } from '../../../../shared/units.ts'
import { operatorCount } from '../../figures/operators.ts'
import { moment } from '../../figures/wording.ts'
import { useAnswer } from '../answers.ts'
import { askLong, pathOf } from '../api.ts'
import { useProgress } from '../live.ts'
import type { PageProps } from '../page-props.ts'
import { Action } from '../parts/dialog.tsx'
import { Choice, Field } from '../parts/fields.tsx'
import { Answer, Empty, Fact } from '../parts/notice.tsx'
import { Title } from '../parts/title.tsx'
import { Link, useQuery } from '../router.tsx'
import { useMay } from '../session.ts'
import type { ModelDetail, RevisionList } from '../types.ts'
import { ClassCard } from './class-card.tsx'
import { Findings } from './findings.tsx'
import { Quality } from './models-page.tsx'
import { Revisions } from './revisions.tsx'

export function ModelPage({ named: { model = '' } }: PageProps) {
  const [query] = useQuery()
  const about = { about: (item: Readonly<Record<string, unknown>>) => item.model === model }
  const asked = useAnswer<ModelDetail>(pathOf('models', model), {
    query: { revision: query.revision },
    on: ['models', 'plans'],
    ...about,
  })
  const revisions = useAnswer<RevisionList>(pathOf('models', model, 'revisions'), {
    query: { limit: 200 },
    on: ['models', 'rollouts', 'plans'],
    ...about,
  })
  return (
    <>
      <Title
        text={model}
        crumb={<Link to="models">Models</Link>}
        beside={asked.value && <p class="faint">revision {asked.value.revision}</p>}
        actions={<ModelActions model={model} shown={asked.value} />}
      />
      <Progress model={model} />
      <Answer of={asked} what="the model">
        {(value) => (
          <>
            <Source model={value} />
            <Classes model={value} />
          </>
        )}
      </Answer>
      <Answer of={revisions} what="its revisions">
        {({ items }) => <Revisions model={model} revisions={items} />}
      </Answer>
    </>
  )
}

/** What its builds and measurements are at, while there are some. */
function Progress({ model }: { readonly model: string }) {
  const progress = useProgress(model)
  if (!progress) return null
  return (
    <div class="note good" role="status">
      <p>
        {progress.what}
        {progress.total > 1 && ` · ${progress.done} of ${progress.total}`}
      </p>
      {progress.total > 1 && (
        <progress value={progress.done} max={progress.total} aria-label={progress.what} />
      )}
    </div>
  )
}

/** A refusal comes at once; what is begun goes on without anybody who waits for it. */
const REFUSED_WITHIN_MS = 1_500

function begin(model: string, again: boolean): Promise<void> {
  const body = { dryRun: false, again, acceptNoise: true }
  return new Promise((resolve, reject) => {
    const asked = askLong(pathOf('models', model, 'plan'), { method: 'POST', body }, () =>
      resolve(),
    )
    asked.then(() => resolve(), reject)
    setTimeout(resolve, REFUSED_WITHIN_MS)
  })
}

interface ModelActionsProps {
  readonly model: string
  readonly shown: ModelDetail | undefined
}

function ModelActions({ model, shown }: ModelActionsProps) {
  const may = useMay()
  if (!shown || !may('operator')) return null
  const plan = () => begin(model, shown.plans.length > 0)
  return (
    <>
      <Link to="newModel" class="button" query={{ name: model }}>
        New revision
      </Link>
      <Action label="Measure" title={`Build and measure ${model}?`} verb="Measure" act={plan}>
        <p>
          Variants are built, and devices of every class measure them. Nothing is installed. The
          choice appears on this page; records of devices that were disturbed count too.
        </p>
      </Action>
      <Link
        to="newRollout"
        named={{ model }}
        query={{ revision: String(shown.revision) }}
        class="button main"
      >
        Roll out
      </Link>
    </>
  )
}

function Source({ model }: { readonly model: ModelDetail }) {
  const { facts, constraints } = model
  const [query, setQuery] = useQuery()
  return (
    <section aria-label="Source">
      {query.revision !== undefined && (
        <p class="faint">
          This is not necessarily the revision in use.{' '}
          <button type="button" class="plain" onClick={() => setQuery({ revision: undefined })}>
            Show the newest
          </button>
        </p>
      )}
      <dl class="facts">
        <Fact term="Float model" large>
          <Quality model={model} />
          <small>
            over {model.testSamples} test samples{model.labelled ? '' : ', which have no labels'}
          </small>
        </Fact>
        <Fact term="File" large>
          {formatBytes(model.bytes)}
          <small>
            .{facts.format}, {operatorCount(facts.operators)} operators
          </small>
        </Fact>
        <Fact term="Shapes">
          {facts.inputs.map(({ name, shape }) => `${name} ${shape.join('×')}`).join(', ')}
          <br />
          <span class="faint">
            → {facts.outputs.map(({ name, shape }) => `${name} ${shape.join('×')}`).join(', ')}
          </span>
        </Fact>
        <Fact term={`Least ${model.objective}, within`}>{limits(constraints)}</Fact>
        <Fact term="Registered">{moment(model.registeredAt)} UTC</Fact>
      </dl>
      <Findings findings={model.findings} />
    </section>
  )
}

function limits(constraints: ModelDetail['constraints']): string {
  const { maxAccuracyDrop, maxLatencyMs, maxMemoryBytes, maxBytes } = constraints
  return [
    `${(maxAccuracyDrop * 100).toFixed(1)} points of accuracy`,
    ...(maxLatencyMs == null ? [] : [`${maxLatencyMs} ms`]),
    ...(maxMemoryBytes == null ? [] : [`${formatBytes(maxMemoryBytes)} of memory`]),
    ...(maxBytes == null ? [] : [`${formatBytes(maxBytes)} of file`]),
  ].join(', ')
}

/** One class at a time: the first, or the one of the link. */
function Classes({ model }: { readonly model: ModelDetail }) {
  const [query, setQuery] = useQuery()
  const shown = model.plans.find((plan) => plan.class === query.class) ?? model.plans[0]
  if (!shown) {
    return (
      <Empty>
        <p>
          Nothing is planned for this revision yet: “Measure” builds and measures it on every class,
          “Roll out” also ships what wins.
        </p>
      </Empty>
    )
  }
  return (
    <section aria-labelledby="classes">
      <header>
        <h2 id="classes">What each class gets, and why</h2>
      </header>
      <div class="filters">
        <Field label="Class">
          <Choice
            value={shown.class}
            options={model.plans.map((plan) => plan.class)}
            onChoice={(of) => setQuery({ class: of })}
          />
        </Field>
      </div>
      <ClassCard key={shown.class} model={model} plan={shown} />
    </section>
  )
}
