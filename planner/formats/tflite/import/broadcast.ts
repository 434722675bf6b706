import { need } from './errors.ts'

/** Result of numpy's broadcasting. @throws Refusal */
export function broadcast(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map(({ length }) => length))
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1)
    const large = sizes.find((size) => size !== 1) ?? 1
    need(
      sizes.every((size) => size === 1 || size === large),
      `shapes ${shapes.map((shape) => `[${shape}]`).join(' and ')} do not broadcast`,
    )
    return large
  })
}
