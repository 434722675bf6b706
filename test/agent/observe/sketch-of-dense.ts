import { ReferenceBuilder } from '../../../shared/sketch/index.ts'
import { normalFrom, seededRandom } from '../../../shared/statistics/index.ts'

/** A reference for a model of three inputs and two scores, as `dense.tflite` has them, under names of our own. */
export function sketchOfDense(samples = 500, seed = 5): Buffer {
  const random = seededRandom(seed)
  const builder = new ReferenceBuilder(
    [{ name: 'x', shape: [1, 3] }],
    [{ name: 'scores', shape: [1, 2] }],
  )
  for (let i = 0; i < samples; i += 1) {
    builder.add('input', { x: [normalFrom(random), normalFrom(random), random()] })
    builder.add('output', { scores: scoresOf(random) })
  }
  return Buffer.from(JSON.stringify(builder.finish()))
}

export function scoresOf(random: () => number): number[] {
  const first = random()
  return [first, 1 - first]
}
