import type { RefObject } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'

const LEAST_PX = 240
const MOST_PX = 860

/** A chart is drawn at the width that it has, so that its letters are as large as the page's. */
export function useChartWidth(): [RefObject<HTMLDivElement | null>, number] {
  const holder = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(560)
  useLayoutEffect(() => {
    const element = holder.current
    if (!element) return undefined
    const look = () => setWidth(Math.min(MOST_PX, Math.max(LEAST_PX, element.clientWidth)))
    look()
    const resized = new ResizeObserver(look)
    resized.observe(element)
    return () => resized.disconnect()
  }, [])
  return [holder, width]
}
