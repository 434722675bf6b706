import { useState } from 'preact/hooks'
import { moment } from '../../figures/wording.ts'
import { ask } from '../api.ts'
import { Action } from '../parts/dialog.tsx'
import { Field, Text } from '../parts/fields.tsx'
import type { Invitation } from '../types.ts'

/** A token by which a device joins; shown once. */
export function Invite() {
  const [device, setDevice] = useState('')
  const [hours, setHours] = useState('24')
  const [made, setMade] = useState<Invitation>()
  return (
    <>
      {made && <Made made={made} />}
      <Action
        label="Invite a device"
        title="Invite a device"
        verb="Make a token"
        act={async () => {
          const body = { device: device === '' ? null : device, hours: Number(hours) }
          setMade(await ask<Invitation>('/invitations', { method: 'POST', body }))
        }}
      >
        <Field label="Name" hint="Empty: the device says its own name.">
          <Text value={device} onText={setDevice} maxLength={64} />
        </Field>
        <Field label="Good for so many hours">
          <Text type="number" value={hours} onText={setHours} required />
        </Field>
      </Action>
    </>
  )
}

function Made({ made }: { readonly made: Invitation }) {
  return (
    <div class="note good" role="status">
      <p>
        On {made.device ?? 'the device'}, until {moment(made.expiresAt)} UTC, once:
      </p>
      <pre>fitment-agent join {made.token}</pre>
    </div>
  )
}
