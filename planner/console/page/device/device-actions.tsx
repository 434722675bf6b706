import { useState } from 'preact/hooks'
import { pathTo } from '../../figures/place.ts'
import { ask, pathOf } from '../api.ts'
import { Action } from '../parts/dialog.tsx'
import { Field, Text } from '../parts/fields.tsx'
import { go } from '../router.tsx'
import type { DeviceDetail } from '../types.ts'

interface DeviceActionsProps {
  readonly device: DeviceDetail
  readonly again: () => void
}

export function DeviceActions(props: DeviceActionsProps) {
  return (
    <>
      <LabelAction {...props} />
      <RetireAction {...props} />
      <LeavingAction {...props} />
    </>
  )
}

function LabelAction({ device: { id, labels }, again }: DeviceActionsProps) {
  const [text, setText] = useState(() => printed(labels))
  return (
    <Action
      label="Labels"
      title={`Labels of ${id}`}
      verb="Save"
      act={async () => {
        const body = { devices: [id], labels: changed(labels, text) }
        await ask('/devices', { method: 'PATCH', body })
        again()
      }}
    >
      <Field label="One to a line, key=value" hint="A line that is gone takes the label away.">
        <textarea value={text} onInput={(event) => setText(event.currentTarget.value)} />
      </Field>
    </Action>
  )
}

function RetireAction({ device: { id, retired }, again }: DeviceActionsProps) {
  const [reason, setReason] = useState('')
  const undo = retired !== null
  return (
    <Action
      label={undo ? 'Return to service' : 'Retire'}
      title={undo ? `Return ${id} to service?` : `Retire ${id}?`}
      verb={undo ? 'Return to service' : 'Retire'}
      act={async () => {
        await ask(pathOf('devices', id, 'retire'), { method: 'POST', body: { reason, undo } })
        again()
      }}
    >
      <p>
        {undo
          ? 'It counts again, is measured and gets what its class gets.'
          : 'It counts nowhere, measures nothing and gets no model. Its certificate stays.'}
      </p>
      <Field label="Reason" hint="Stands in the audit.">
        <Text value={reason} onText={setReason} required={!undo} maxLength={200} />
      </Field>
    </Action>
  )
}

/** Both take its certificates: a device that was stolen stays on record, one that is gone does not. */
function LeavingAction({ device: { id, revoked }, again }: DeviceActionsProps) {
  const [reason, setReason] = useState('')
  const field = (
    <Field label="Reason" hint="Stands in the audit.">
      <Text value={reason} onText={setReason} required maxLength={200} />
    </Field>
  )
  return (
    <>
      <Action
        label="Revoke"
        tone="bad"
        disabled={revoked}
        title={`Revoke the certificates of ${id}?`}
        verb="Revoke"
        act={async () => {
          await ask(pathOf('devices', id, 'revoke'), { method: 'POST', body: { reason } })
          again()
        }}
      >
        <p>It is shut out at once, and stays on record. To come back it needs an invitation.</p>
        {field}
      </Action>
      <Action
        label="Remove"
        tone="bad"
        title={`Remove ${id}?`}
        verb="Remove"
        act={async () => {
          await ask(pathOf('devices', id), { method: 'DELETE', query: { reason } })
          go(pathTo('fleet'))
        }}
      >
        <p>Certificates, labels and record go; only the audit knows it still.</p>
        {field}
      </Action>
    </>
  )
}

function printed(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join('\n')
}

/** Null takes a label away. */
function changed(
  before: Readonly<Record<string, string>>,
  text: string,
): Record<string, string | null> {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const after = Object.fromEntries(
    lines.map((line) => {
      const [key = '', ...value] = line.trim().split('=')
      return [key.trim(), value.join('=').trim()]
    }),
  )
  const gone = Object.keys(before).filter((key) => !Object.hasOwn(after, key))
  return { ...after, ...Object.fromEntries(gone.map((key) => [key, null])) }
}
