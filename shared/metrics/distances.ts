import { MetricError } from './errors.ts'
import type { Meter } from './meter.ts'
import { outputOf, truthOrReference } from './truth.ts'

/** Mean cosine between an output and what it should be. A vector without direction is like nothing: 0. */
export function cosine(output: string | null): Meter {
  let [sum, samples] = [0, 0]
  return {
    add(answer) {
      const { values } = outputOf(answer, output)
      const wanted = truthOrReference(answer, outputOf(answer, output))
      let [dot, mine, theirs] = [0, 0, 0]
      for (let i = 0; i < values.length; i += 1) {
        const [a, b] = [values[i] as number, wanted[i] as number]
        dot += a * b
        mine += a * a
        theirs += b * b
      }
      const lengths = Math.sqrt(mine) * Math.sqrt(theirs)
      sum += lengths > 0 ? dot / lengths : 0
      samples += 1
    },
    score: () => ({ value: sum / samples }),
  }
}

/** Mean of |error|, or the root of the mean of its square, over all numbers of an output on all samples. */
export function meanError(power: 1 | 2, output: string | null): Meter {
  let [sum, numbers] = [0, 0]
  return {
    add(answer) {
      const judged = outputOf(answer, output)
      const wanted = truthOrReference(answer, judged)
      for (let i = 0; i < wanted.length; i += 1) {
        const error = Math.abs((judged.values[i] as number) - (wanted[i] as number))
        sum += power === 1 ? error : error * error
      }
      numbers += wanted.length
    },
    score: () => {
      const mean = sum / numbers
      if (numbers === 0) throw new MetricError('unmeasurable', 'the output holds no numbers')
      return { value: power === 1 ? mean : Math.sqrt(mean) }
    },
  }
}
