import { type ComponentChildren, cloneElement, type VNode } from 'preact'
import { useEffect, useId, useState } from 'preact/hooks'

interface FieldProps {
  readonly label: string
  readonly hint?: ComponentChildren
  readonly grow?: boolean
  readonly children: VNode<{ id?: string; 'aria-describedby'?: string }>
}

export function Field({ label, hint, grow, children }: FieldProps) {
  const id = useId()
  const about = hint === undefined ? {} : { 'aria-describedby': `${id}-hint` }
  return (
    <div class={grow ? 'field grow' : 'field'}>
      <label for={id}>{label}</label>
      {cloneElement(children, { id, ...about })}
      {hint !== undefined && <small id={`${id}-hint`}>{hint}</small>}
    </div>
  )
}

interface TextProps {
  readonly id?: string
  readonly value: string
  readonly onText: (text: string) => void
  readonly placeholder?: string
  readonly required?: boolean
  readonly pattern?: string
  readonly type?: 'text' | 'search' | 'number' | 'password'
  readonly maxLength?: number
}

export function Text({ onText, type = 'text', ...props }: TextProps) {
  return (
    <input
      {...props}
      // Preact types inputs by their kind; all of these take the same.
      type={type as 'text'}
      autoComplete="off"
      spellcheck={false}
      {...(type === 'number' && { min: 0, step: 'any', inputMode: 'decimal' })}
      onInput={(event) => onText(event.currentTarget.value)}
    />
  )
}

interface SlowlyProps {
  readonly id?: string
  readonly value: string
  readonly onText: (text: string) => void
  readonly placeholder: string
}

const PAUSE_MS = 250

/** The planner is asked once the typing pauses. */
export function Slowly({ value, onText, ...props }: SlowlyProps) {
  const [text, setText] = useState(value)
  useEffect(() => setText(value), [value])
  useEffect(() => {
    if (text === value) return undefined
    const timer = setTimeout(() => onText(text), PAUSE_MS)
    return () => clearTimeout(timer)
  }, [text])
  return <Text {...props} type="search" value={text} onText={setText} />
}

interface ChoiceProps {
  readonly id?: string
  readonly value: string
  readonly options: readonly (string | readonly [value: string, words: string])[]
  readonly onChoice: (value: string) => void
}

export function Choice({ options, onChoice, ...props }: ChoiceProps) {
  return (
    <select {...props} onChange={(event) => onChoice(event.currentTarget.value)}>
      {options.map((option) => {
        const [value, words] = typeof option === 'string' ? [option, option] : option
        return (
          <option key={value} value={value}>
            {words}
          </option>
        )
      })}
    </select>
  )
}

interface TickProps {
  readonly label: string
  readonly checked: boolean
  readonly onTick: (checked: boolean) => void
}

export function Tick({ label, checked, onTick }: TickProps) {
  return (
    <label class="tick">
      <input
        type="checkbox"
        checked={checked}
        onChange={(event) => onTick(event.currentTarget.checked)}
      />
      <span>{label}</span>
    </label>
  )
}
