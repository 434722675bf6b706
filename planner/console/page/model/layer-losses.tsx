import { Choice, Field } from '../parts/fields.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { useQuery } from '../router.tsx'
import type { CandidateRow } from '../types.ts'

type Loss = CandidateRow['losses'][number]

/** Which layers of a variant lost most when it was quantized: of the chosen one, or of the link's. */
export function LayerLosses({ candidates }: { readonly candidates: readonly CandidateRow[] }) {
  const [query, setQuery] = useQuery()
  const known = candidates.filter(({ losses }) => losses.length > 0)
  const shown =
    known.find((row) => nameOf(row) === query.variant) ??
    known.find(({ verdict }) => verdict === 'chosen') ??
    known[0]
  if (!shown) return null
  return (
    <section aria-labelledby="losses">
      <header>
        <h3 id="losses">Layers that lost most</h3>
      </header>
      <div class="filters">
        <Field label="Variant" grow>
          <Choice
            value={nameOf(shown)}
            options={known.map(nameOf)}
            onChoice={(variant) => setQuery({ variant })}
          />
        </Field>
      </div>
      <Table
        label={`Layers of ${nameOf(shown)} that lost most`}
        rows={shown.losses}
        keyOf={({ layer, of }) => `${of} ${layer}`}
        columns={COLUMNS}
      />
      <p class="faint">
        Signal over what codes lose, by themselves: of outputs by what calibration saw, of weights
        by all of them. Below 20 dB a tenth of the signal is noise.
      </p>
    </section>
  )
}

function nameOf({ scheme, runtime }: CandidateRow): string {
  return `${scheme} on ${runtime}`
}

/** As far as the bar reaches: what is better is good. */
const FULL_DB = 60

const COLUMNS: readonly Column<Loss>[] = [
  { head: 'Layer', cell: ({ layer }) => <Layer name={layer} /> },
  { head: 'Kind', wide: true, cell: ({ operator }) => operator },
  { head: 'Of its', cell: ({ of }) => of },
  { head: 'As', wide: true, cell: ({ type }) => type },
  { head: 'SQNR', number: true, cell: ({ sqnrDb }) => `${sqnrDb.toFixed(1)} dB` },
  { head: '', wide: true, cell: ({ sqnrDb }) => <Level sqnrDb={sqnrDb} /> },
]

/** Converters join the names of what they fused: the first is enough to find it by. */
function Layer({ name }: { readonly name: string }) {
  const [first] = name.split(';')
  return (
    <span class="cell-name" title={name}>
      {first}
    </span>
  )
}

function Level({ sqnrDb }: Pick<Loss, 'sqnrDb'>) {
  const share = Math.min(1, Math.max(0, sqnrDb / FULL_DB))
  return (
    <div class="bar level" aria-hidden="true">
      <i class="active" style={{ width: `${share * 100}%` }} />
    </div>
  )
}
