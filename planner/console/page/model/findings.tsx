import { counted } from '../../figures/wording.ts'
import { Mark } from '../parts/mark.tsx'
import type { ModelView } from '../types.ts'

type All = ModelView['findings']

interface FindingsProps {
  readonly findings: All
  /** What they are about, where it is not the model itself. */
  readonly of?: string | undefined
}

/** What was noticed about a file: warnings at once, what is merely good to know where one asks for it. */
export function Findings({ findings, of }: FindingsProps) {
  const loud = findings.filter(({ severity }) => severity !== 'info')
  const quiet = findings.filter(({ severity }) => severity === 'info')
  return (
    <>
      {loud.map((finding) => (
        <div key={finding.message} class="note warn">
          <p>
            <Mark state={finding.severity} /> {finding.message}
          </p>
        </div>
      ))}
      {quiet.length > 0 && (
        <details>
          <summary>
            {counted(quiet.length, 'note')} on {of ?? 'the model'}
          </summary>
          <ul class="lines">
            {quiet.map(({ message }) => (
              <li key={message}>{message}</li>
            ))}
          </ul>
        </details>
      )}
    </>
  )
}
