import type { Delegation } from '../../../shared/runtime/index.ts'
import { formatCounts } from '../../../shared/units.ts'

/** `libvx_delegate.so: 14 of 16 operators in 2 pieces; left: 1 SOFTMAX, 1 RESHAPE` */
export function printDelegation({ path, total, taken, partitions, left }: Delegation): string {
  const kinds = formatCounts(left)
  const rest = kinds === '' ? '' : `; left: ${kinds}`
  const pieces = partitions === 1 ? '1 piece' : `${partitions} pieces`
  return `${path}: ${taken} of ${total} operators in ${pieces}${rest}`
}
