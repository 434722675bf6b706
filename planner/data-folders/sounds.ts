import type { Tensor } from '../../shared/tensors.ts'
import { DataFolderError } from './errors.ts'
import type { Preprocessing } from './preprocessing.ts'
import type { Sound } from './wav.ts'

/**
 * A sound as a model takes it: one channel, cut or filled with silence to the length that is asked for. Numbers go from −1 to
 * 1 where no range was said.
 * @throws DataFolderError `wrong-rate`, `wrong-preprocessing`
 */
export function soundTensor(
  { rate, data }: Sound,
  preprocessing: Preprocessing,
  path: string,
): Tensor {
  const { rate: wanted, seconds, range, line, resize } = preprocessing
  if (resize !== null) {
    throw new DataFolderError(
      'wrong-preprocessing',
      `${path} is a sound, and "${line}" resizes images: sounds take rate and seconds`,
    )
  }
  if (wanted === null) {
    throw new DataFolderError(
      'wrong-preprocessing',
      `say at which rate the model takes sounds, e.g. "rate ${rate}" (${path})`,
    )
  }
  if (wanted !== rate) {
    throw new DataFolderError(
      'wrong-rate',
      `${path} has ${rate} samples a second and the model takes ${wanted}: convert it first, e.g. with sox or ffmpeg`,
      { path, rate },
    )
  }
  const length = seconds === null ? data.length : Math.round(seconds * rate)
  const out = new Float32Array(length)
  out.set(data.subarray(0, length))
  return { type: 'float32', shape: [length], data: scaled(out, rangeOf(range)) }
}

/** 0 to 255 is what images have. */
function rangeOf(range: readonly [number, number]): readonly [number, number] {
  return range[0] === 0 && range[1] === 255 ? [-1, 1] : range
}

function scaled(
  data: Float32Array<ArrayBuffer>,
  [low, high]: readonly [number, number],
): Float32Array<ArrayBuffer> {
  if (low === -1 && high === 1) return data
  return data.map((value) => low + ((value + 1) / 2) * (high - low))
}
