import type { TensorInfo } from '../../shared/runtime/index.ts'
import { type Random, seededRandom } from '../../shared/statistics/index.ts'
import { ARRAY_OF, sizeOf, type Tensor } from '../../shared/tensors.ts'

/** What an input of integers may hold, by what exporters call it: indices must lie inside what they index. */
const MEANINGS: readonly {
  readonly name: RegExp
  readonly draw: (random: Random) => number
}[] = [
  { name: /mask|valid/i, draw: () => 1 },
  { name: /type|segment/i, draw: () => 0 },
  { name: /len|size|count/i, draw: () => 1 },
  { name: /sr$|rate/i, draw: () => 16_000 },
]

/** Small numbers, each within the tables of the least vocabulary. */
const INDEX = (random: Random) => Math.floor(random() * 10)

/** Plausible inputs, the same for the same seed: floats around zero, integers as their names say, open sizes closed. */
export function generatedSample(
  inputs: readonly TensorInfo[],
  seed: number,
  batch = 1,
): Readonly<Record<string, Tensor>> {
  const random = seededRandom(seed)
  return Object.fromEntries(
    inputs.map(({ name, type, shape }) => {
      const closed = shape.map((dim, axis) => (dim < 0 ? (axis === 0 ? batch : 1) : dim))
      const data =
        type === 'float32' && closed.length === 4
          ? image(closed, random)
          : dataFor(name, type, sizeOf(closed), random)
      return [name, { type, shape: closed, data }]
    }),
  )
}

/** Share of what changes from pixel to pixel: an image is mostly smooth, and networks for images are lost in noise alone. */
const NOISE = 0.3

/** Waves over the last axes, of another length in each plane, and some noise; −1 to 1. */
function image(shape: readonly number[], random: Random): Float32Array<ArrayBuffer> {
  const [height = 1, width = 1] = shape.slice(2)
  const plane = height * width
  let [down, across, shift] = [0, 0, 0]
  return Float32Array.from({ length: sizeOf(shape) }, (_, at) => {
    if (at % plane === 0) [down, across, shift] = [random(), random(), random() * 6]
    const [y, x] = [Math.floor((at % plane) / width), at % width]
    const wave = Math.sin(down * y + across * x + shift)
    return (1 - NOISE) * wave + NOISE * (random() * 2 - 1)
  })
}

function dataFor(name: string, type: TensorInfo['type'], size: number, random: Random) {
  if (type === 'float16')
    return Uint16Array.from({ length: size }, () => 0x3000 + Math.floor(random() * 0xc00))
  if (type.startsWith('float')) {
    const data = new ARRAY_OF[type](size)
    for (let i = 0; i < size; i += 1) data[i] = random() * 2 - 1
    return data
  }
  if (type === 'bool') return Uint8Array.from({ length: size }, () => Number(random() < 0.5))
  const draw = MEANINGS.find((one) => one.name.test(name))?.draw ?? INDEX
  const wide = type === 'int64' || type === 'uint64'
  const data = new ARRAY_OF[type](size)
  for (let i = 0; i < size; i += 1) data[i] = (wide ? BigInt(draw(random)) : draw(random)) as never
  return data
}
