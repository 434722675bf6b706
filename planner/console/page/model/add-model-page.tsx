import { useState } from 'preact/hooks'
import { pathTo } from '../../figures/place.ts'
import { askLong, type Progress, pageProblem, pathOf, upload } from '../api.ts'
import { useDoing } from '../parts/dialog.tsx'
import { Field, Text } from '../parts/fields.tsx'
import { Empty, ProblemNote } from '../parts/notice.tsx'
import { Title } from '../parts/title.tsx'
import { go, Link, useQuery } from '../router.tsx'
import { useMay } from '../session.ts'
import type { ModelView } from '../types.ts'
import { EMPTY_WISH, Limits, type ModelWish } from './model-limits.tsx'

/** The files of a model, by what they are for. */
const FILES = [
  ['source', 'Float model', '.tflite,.onnx', 'A .tflite or .onnx file with float weights.'],
  [
    'calibration',
    'Calibration samples',
    '.npz',
    '.npz with x: what activations usually look like.',
  ],
  [
    'test',
    'Test samples',
    '.npz',
    '.npz with x, and y where there are labels: what quality is judged by.',
  ],
  ['labels', 'Names of classes (optional)', '.txt', 'A line each; applications show them.'],
] as const
type FileName = (typeof FILES)[number][0]
type Chosen = Partial<Record<FileName, File>>

export function AddModelPage() {
  const may = useMay()
  const [query] = useQuery()
  return (
    <>
      <Title
        text={query.name === undefined ? 'Add a model' : `A new revision of ${query.name}`}
        crumb={<Link to="models">Models</Link>}
      />
      {may('operator') ? (
        <AddModel given={query.name} />
      ) : (
        <Empty>Adding models takes the role of an operator.</Empty>
      )}
    </>
  )
}

function AddModel({ given }: { readonly given: string | undefined }) {
  const [wish, setWish] = useState<ModelWish>({ ...EMPTY_WISH, name: given ?? '' })
  const [files, setFiles] = useState<Chosen>({})
  const [progress, setProgress] = useState<Progress>()
  const doing = useDoing()
  const isRefused = doing.problem?.code === 'gate-refused'
  return (
    <form
      class="card"
      onSubmit={(event) => {
        event.preventDefault()
        doing.run(async () => {
          const model = await addModel(wish, files, setProgress).finally(() =>
            setProgress(undefined),
          )
          go(pathTo('model', { model: model.name }))
        })
      }}
    >
      <div class="fields">
        <Field label="Name" hint="Letters, digits, . _ -; the same name again is a new revision.">
          <Text
            value={wish.name}
            onText={(name) => setWish({ ...wish, name })}
            required
            maxLength={64}
          />
        </Field>
        <Field label="Note" hint="What should be remembered of it.">
          <Text value={wish.note} onText={(note) => setWish({ ...wish, note })} maxLength={500} />
        </Field>
      </div>
      <div class="fields">
        {FILES.map(([name, label, accept, hint]) => (
          <Field key={name} label={label} hint={hint}>
            <input
              type="file"
              accept={accept}
              required={name === 'source'}
              onChange={(event) => {
                const file = event.currentTarget.files?.[0]
                setFiles(({ [name]: _, ...rest }) => ({ ...rest, ...(file && { [name]: file }) }))
              }}
            />
          </Field>
        ))}
      </div>
      <Limits wish={wish} onWish={setWish} />
      <ProblemNote problem={doing.problem} />
      {isRefused && (
        <Field label="Register it all the same, because" hint="Stands in the audit with your name.">
          <Text
            value={wish.force}
            onText={(force) => setWish({ ...wish, force })}
            maxLength={200}
          />
        </Field>
      )}
      <Uploading progress={progress} />
      <div class="actions">
        <button type="submit" class="main" disabled={doing.isBusy}>
          {doing.isBusy ? 'Adding …' : 'Add'}
        </button>
      </div>
    </form>
  )
}

function Uploading({ progress }: { readonly progress: Progress | undefined }) {
  return (
    <div role="status">
      {progress && (
        <div class="note good">
          <p>{progress.what}</p>
          <progress value={progress.done} max={progress.total} aria-label={progress.what} />
        </div>
      )}
    </div>
  )
}

/** Uploads the files, then has the planner read, test and register them. @throws Problem */
async function addModel(
  wish: ModelWish,
  files: Chosen,
  tell: (progress: Progress) => void,
): Promise<ModelView> {
  if (!files.source) throw pageProblem('Choose the file of the float model.')
  const sent = async (file: File) => {
    const what = `${file.name} is sent`
    const digest = await upload(file, (share) => tell({ what, done: share * 100, total: 100 }))
    return { digest, name: file.name }
  }
  const body = {
    name: wish.name.trim(),
    source: await sent(files.source),
    calibration: files.calibration ? await sent(files.calibration) : null,
    test: files.test ? await sent(files.test) : null,
    ...(files.labels && { labels: await sent(files.labels) }),
    objective: wish.objective,
    constraints: {
      maxAccuracyDrop: Number(wish.maxDropPoints || 0) / 100,
      maxLatencyMs: limit(wish.maxLatencyMs),
      maxMemoryBytes: limit(wish.maxMemoryMib, 2 ** 20),
      maxBytes: limit(wish.maxKib, 2 ** 10),
    },
    ...(wish.note !== '' && { note: wish.note }),
    ...(wish.force !== '' && { force: wish.force }),
  }
  tell({ what: 'the float model answers the test data', done: 0, total: 1 })
  return await askLong<ModelView>(pathOf('models'), { method: 'POST', body }, tell)
}

function limit(text: string, unit = 1): number | null {
  if (text.trim() === '') return null
  return unit === 1 ? Number(text) : Math.round(Number(text) * unit)
}
