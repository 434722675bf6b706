import { Choice, Field, Text } from '../parts/fields.tsx'

/** A form's texts, as they were typed. */
export interface ModelWish {
  readonly name: string
  readonly note: string
  readonly objective: string
  readonly maxDropPoints: string
  readonly maxLatencyMs: string
  readonly maxKib: string
  readonly maxMemoryMib: string
  readonly force: string
}

export const EMPTY_WISH: ModelWish = {
  name: '',
  note: '',
  objective: 'latency',
  maxDropPoints: '1',
  maxLatencyMs: '',
  maxKib: '',
  maxMemoryMib: '',
  force: '',
}

const OBJECTIVES = [
  ['latency', 'least latency'],
  ['size', 'smallest file'],
  ['memory', 'least memory'],
] as const

const LIMITS = [
  ['maxDropPoints', 'Accuracy that may be lost', 'Percentage points, against float32.'],
  ['maxLatencyMs', 'Longest latency', 'ms, P50 on the device. Empty: none.'],
  ['maxKib', 'Largest file', 'KiB. Empty: what the device has room for.'],
  ['maxMemoryMib', 'Most memory', 'MiB while it runs. Empty: what the device has.'],
] as const

interface LimitsProps {
  readonly wish: ModelWish
  readonly onWish: (wish: ModelWish) => void
}

/** What is wanted of a variant, and what it must keep to. */
export function Limits({ wish, onWish }: LimitsProps) {
  return (
    <div class="fields">
      <Field label="What counts" hint="Among variants that keep the limits.">
        <Choice
          value={wish.objective}
          options={OBJECTIVES}
          onChoice={(objective) => onWish({ ...wish, objective })}
        />
      </Field>
      {LIMITS.map(([key, label, hint]) => (
        <Field key={key} label={label} hint={hint}>
          <Text
            type="number"
            value={wish[key]}
            onText={(text) => onWish({ ...wish, [key]: text })}
          />
        </Field>
      ))}
    </div>
  )
}
