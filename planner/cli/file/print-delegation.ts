import type { Delegation } from '../../../shared/runtime/index.ts'

/** `libvx_delegate.so: 14 of 16 operators in 2 pieces; left: 1 SOFTMAX, 1 RESHAPE` */
export function printDelegation({ path, total, taken, partitions, left }: Delegation): string {
  const kinds = Object.entries(left)
    .sort(([, a], [, b]) => b - a)
    .map(([kind, count]) => `${count} ${kind}`)
  const rest = kinds.length === 0 ? '' : `; left: ${kinds.join(', ')}`
  const pieces = partitions === 1 ? '1 piece' : `${partitions} pieces`
  return `${path}: ${taken} of ${total} operators in ${pieces}${rest}`
}
