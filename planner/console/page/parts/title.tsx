import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

interface TitleProps {
  readonly text: string
  /** The page above. */
  readonly crumb?: ComponentChildren
  readonly beside?: ComponentChildren
  readonly actions?: ComponentChildren
}

let isFirst = true

/** The page's heading: its window is called so, and whoever comes here by keyboard begins at it. */
export function Title({ text, crumb, beside, actions }: TitleProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${text} · Fitment`
  }, [text])
  useEffect(() => {
    if (!isFirst) heading.current?.focus({ preventScroll: true })
    isFirst = false
  }, [])
  return (
    <header class="title">
      {crumb !== undefined && <div class="crumb">{crumb}</div>}
      <h1 ref={heading} tabIndex={-1}>
        {text}
      </h1>
      {beside}
      {actions !== undefined && <div class="actions">{actions}</div>}
    </header>
  )
}
