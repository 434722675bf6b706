import { counted } from '../../figures/wording.ts'
import { useAnswer } from '../answers.ts'
import { Choice, Field, Slowly } from '../parts/fields.tsx'
import { useQuery } from '../router.tsx'
import type { ClassList, ModelList } from '../types.ts'

const STATES = [
  ['', 'any'],
  ['online', 'online'],
  ['offline', 'offline'],
] as const
const HEALTH = [
  ['', 'any'],
  ['alarm', 'alarm raised'],
  ['good', 'no alarm'],
] as const

/** What the planner is asked for; all of it stands in the link. */
export function FleetFilters({ total }: { readonly total: number | undefined }) {
  const [query, setQuery] = useQuery()
  const classes = useAnswer<ClassList>('/classes', { query: { limit: 500 }, on: ['devices'] })
  const models = useAnswer<ModelList>('/models', { query: { limit: 500 }, on: ['models'] })
  const set = (key: string) => (value: string) => setQuery({ [key]: value })
  return (
    <search class="filters">
      <Field label="Search" grow>
        <Slowly value={query.q ?? ''} onText={set('q')} placeholder="part of a name" />
      </Field>
      <Field label="Labels" grow>
        <Slowly value={query.where ?? ''} onText={set('where')} placeholder="site=hall-2,line!=3" />
      </Field>
      <Field label="Class">
        <Choice
          value={query.class ?? ''}
          onChoice={set('class')}
          options={[['', 'any'], ...(classes.value?.items ?? []).map(({ id }) => id)]}
        />
      </Field>
      <Field label="State">
        <Choice value={query.state ?? ''} onChoice={set('state')} options={STATES} />
      </Field>
      <Field label="Health">
        <Choice value={query.health ?? ''} onChoice={set('health')} options={HEALTH} />
      </Field>
      <Field label="Runs">
        <Choice
          value={query.model ?? ''}
          onChoice={(model) => setQuery({ model, revision: undefined })}
          options={[['', 'any'], ...(models.value?.items ?? []).map(({ name }) => name)]}
        />
      </Field>
      {query.model && (
        <Field label="Revision">
          <Slowly value={query.revision ?? ''} onText={set('revision')} placeholder="any" />
        </Field>
      )}
      <p class="faint" role="status">
        {total !== undefined && `${counted(total, 'device')} found`}
      </p>
    </search>
  )
}
