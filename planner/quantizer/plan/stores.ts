import type { Instruction } from '../../graph/index.ts'
import { sameForm } from '../../graph/index.ts'

type Store = Extract<Instruction, { verb: 'store-constant' }>

/** Readers of one constant that want the same codes get one copy; the order of first mention stays. */
export function mergeStores(instructions: readonly Instruction[]): Instruction[] {
  const merged: Instruction[] = []
  const stores = new Map<number, number[]>()
  for (const instruction of instructions) {
    if (instruction.verb !== 'store-constant') {
      merged.push(instruction)
      continue
    }
    const places = stores.get(instruction.tensor) ?? []
    const place = places.find((at) => sameStore(merged[at] as Store, instruction))
    if (place === undefined) {
      stores.set(instruction.tensor, [...places, merged.length])
      merged.push(instruction)
    } else {
      const known = merged[place] as Store
      merged[place] = { ...known, uses: [...known.uses, ...instruction.uses] }
    }
  }
  return merged
}

function sameStore(a: Store, b: Store): boolean {
  return a.values === b.values && sameForm(a.form, b.form)
}
