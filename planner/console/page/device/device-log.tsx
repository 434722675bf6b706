import { useAnswer } from '../answers.ts'
import { AuditTable } from '../audit/audit-table.tsx'
import { Answer, Empty } from '../parts/notice.tsx'
import { Link } from '../router.tsx'
import type { AuditList } from '../types.ts'

const SHOWN = 50

/** What was done with it and by it, newest first, as the audit has it. */
export function DeviceLog({ device }: { readonly device: string }) {
  const query = { subject: device, limit: SHOWN }
  const asked = useAnswer<AuditList>('/audit', {
    query,
    on: ['devices'],
    about: (item) => item.device === device,
  })
  return (
    <section aria-labelledby="log">
      <header>
        <h2 id="log">Log</h2>
        <Link to="audit" query={{ subject: device }}>
          All in the audit
        </Link>
      </header>
      <Answer of={asked} what="the log">
        {({ items }) =>
          items.length === 0 ? (
            <Empty>Nothing was done with this device yet.</Empty>
          ) : (
            <AuditTable entries={items} />
          )
        }
      </Answer>
    </section>
  )
}
