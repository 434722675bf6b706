import { moment } from '../../figures/wording.ts'
import { useAnswer } from '../answers.ts'
import { pathOf } from '../api.ts'
import { Empty, ProblemNote } from '../parts/notice.tsx'
import { type ListColumn, WindowedTable } from '../parts/windowed-table.tsx'
import { Link } from '../router.tsx'
import type { ModelDetail, Sample } from '../types.ts'
import { PortDrawing } from './port-drawing.tsx'
import { useSamplePages } from './sample-pages.ts'

interface GalleryProps {
  readonly model: string
  /** Undefined: of every device. */
  readonly device: string | undefined
}

type Ports = ModelDetail['facts']['inputs']

/** What applications gave the model and what it answered, the newest first. */
export function SampleGallery({ model, device }: GalleryProps) {
  const facts = useAnswer<ModelDetail>(pathOf('models', model)).value?.facts
  const { items, end, problem, onSight } = useSamplePages(model, device)
  if (items.length === 0 && end === 'all') {
    return <Empty>No sample is here: what was kept made room for newer ones.</Empty>
  }
  return (
    <>
      <ProblemNote problem={problem} />
      {items.length > 0 && (
        <WindowedTable
          label={`Captured samples of ${model}`}
          tall
          columns={columnsOf(facts)}
          count={items.length}
          rowAt={(row) => items[row]}
          onSight={({ last }) => onSight(last)}
        />
      )}
      {end === 'full' && (
        <p class="faint">
          The newest {items.length}; all of them go to a file by{' '}
          <code>fitment samples pull {model}</code>.
        </p>
      )}
      {items.length === 0 && !problem && <p class="waiting-for">Loading samples …</p>}
    </>
  )
}

function columnsOf(facts: ModelDetail['facts'] | undefined): readonly ListColumn<Sample>[] {
  return [
    {
      head: 'Input',
      look: 'at-drawing',
      cell: ({ inputs }) => <AllPorts values={inputs} ports={facts?.inputs ?? []} />,
    },
    {
      head: 'From',
      look: 'at-name',
      cell: ({ device, revision, at, why }) => (
        <>
          <Link to="device" named={{ device }}>
            {device}
          </Link>
          <br />
          <span class="chip">{why}</span>
          <br />
          <span class="faint">
            {moment(at)} UTC{revision !== null && `, r${revision}`}
          </span>
        </>
      ),
    },
    {
      head: 'Output',
      look: 'at-output',
      cell: ({ outputs }) => <AllPorts values={outputs} ports={facts?.outputs ?? []} />,
    },
  ]
}

interface AllPortsProps {
  readonly values: Readonly<Record<string, readonly number[]>>
  readonly ports: Ports
}

function AllPorts({ values, ports }: AllPortsProps) {
  const all = Object.entries(values)
  return (
    <div class="ports">
      {all.map(([name, own]) => (
        <PortDrawing
          key={name}
          name={name}
          values={own}
          shape={(ports.find((port) => port.name === name) ?? alone(all, ports))?.shape}
        />
      ))}
    </div>
  )
}

/** Runtimes call the ends of a file by names of their own: of one there can be no doubt. */
function alone(all: readonly unknown[], ports: Ports): Ports[number] | undefined {
  return all.length === 1 && ports.length === 1 ? ports[0] : undefined
}
