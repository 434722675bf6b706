import type { Tensor } from '../../shared/tensors.ts'
import type { Preprocessing, Resize } from './preprocessing.ts'

/** Eight bits a channel, red, green, blue; rows from the top. */
export interface Pixels {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array
}

/** Where the pixels of an image end up: x → x · scale + offset. */
export interface Placement {
  readonly scaleX: number
  readonly scaleY: number
  readonly offsetX: number
  readonly offsetY: number
}

const CHANNELS = 3

/** Rec. 601, as in JPEG. */
const LUMA = [0.299, 0.587, 0.114] as const

export function placementOf(
  { width, height }: Pick<Pixels, 'width' | 'height'>,
  resize: Resize | null,
): Placement {
  if (resize === null) return { scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 }
  const [scaleX, scaleY] = [resize.width / width, resize.height / height]
  if (resize.fit.kind === 'stretch') return { scaleX, scaleY, offsetX: 0, offsetY: 0 }
  const { fit } = resize
  const inside = fit.kind === 'letterbox'
  const scale = inside ? Math.min(scaleX, scaleY) : Math.max(scaleX, scaleY)
  const spare = (size: number, length: number) => size - Math.floor(length * scale)
  const centred = fit.kind !== 'letterbox' || fit.centred
  const offset = (left: number) => (centred ? Math.floor(left / 2) : 0)
  return {
    scaleX: scale,
    scaleY: scale,
    offsetX: offset(spare(resize.width, width)),
    offsetY: offset(spare(resize.height, height)),
  }
}

/** Which of red, green and blue each channel is. */
const ORDERS = { rgb: [0, 1, 2], bgr: [2, 1, 0], gray: null } as const

/** An image as a model takes it, without the batch: whole numbers stay in eight bits. */
export function toTensor(image: Pixels, preprocessing: Preprocessing): Tensor {
  const { resize, colours, layout } = preprocessing
  const { width, height, data } = resize === null ? image : resized(image, resize)
  const order = ORDERS[colours]
  const area = width * height
  const channels = order?.length ?? 1
  const plain = isPlain(preprocessing)
  const out = new (plain ? Uint8Array : Float32Array)(area * channels)
  const first = layout === 'nchw'
  for (let channel = 0; channel < channels; channel += 1) {
    const becomes = settledValues(channel, preprocessing)
    const [start, step] = first ? [channel * area, 1] : [channel, channels]
    for (let pixel = 0; pixel < area; pixel += 1) {
      const at = pixel * CHANNELS
      const value = order === null ? luma(data, at) : (data[at + (order[channel] ?? 0)] as number)
      out[start + pixel * step] = becomes[value] as number
    }
  }
  const shape = first ? [channels, height, width] : [height, width, channels]
  return { type: plain ? 'uint8' : 'float32', shape, data: out }
}

function isPlain({ range, mean, std }: Preprocessing): boolean {
  return range[0] === 0 && range[1] === 255 && mean.length === 0 && std.length === 0
}

/** What each of 256 values becomes in a channel. */
function settledValues(channel: number, { range, mean, std }: Preprocessing): Float32Array {
  const [low, high] = range
  const pick = (list: readonly number[], usual: number) =>
    list[list.length === 1 ? 0 : channel] ?? usual
  return Float32Array.from({ length: 256 }, (_, value) => {
    const scaled = low + (value / 255) * (high - low)
    return (scaled - pick(mean, 0)) / pick(std, 1)
  })
}

function luma(data: Uint8Array, at: number): number {
  const [r, g, b] = LUMA
  return Math.round(r * (data[at] ?? 0) + g * (data[at + 1] ?? 0) + b * (data[at + 2] ?? 0))
}

/** Bilinear on half-pixel centres, without smoothing first: what OpenCV calls INTER_LINEAR. */
function resized(image: Pixels, resize: Resize): Pixels {
  const { scaleX, scaleY, offsetX, offsetY } = placementOf(image, resize)
  const fill = resize.fit.kind === 'letterbox' ? resize.fit.fill : 0
  const data = new Uint8Array(resize.width * resize.height * CHANNELS).fill(fill)
  const inner = {
    width: Math.floor(image.width * scaleX + 1e-9),
    height: Math.floor(image.height * scaleY + 1e-9),
  }
  const columns = axisOf(image.width, inner.width, offsetX, resize.width)
  const rows = axisOf(image.height, inner.height, offsetY, resize.height)
  for (const row of rows) {
    for (const column of columns) {
      const to = (row.to * resize.width + column.to) * CHANNELS
      for (let c = 0; c < CHANNELS; c += 1) {
        const at = (y: number, x: number) =>
          image.data[(y * image.width + x) * CHANNELS + c] as number
        const above = mix(at(row.first, column.first), at(row.first, column.second), column.share)
        const below = mix(at(row.second, column.first), at(row.second, column.second), column.share)
        data[to + c] = Math.round(mix(above, below, row.share))
      }
    }
  }
  return { width: resize.width, height: resize.height, data }
}

interface Tap {
  readonly to: number
  readonly first: number
  readonly second: number
  readonly share: number
}

/** For each place within the result, which two of the source it lies between. */
function axisOf(from: number, length: number, offset: number, size: number): Tap[] {
  const taps: Tap[] = []
  for (let i = 0; i < length; i += 1) {
    const to = i + offset
    if (to < 0 || to >= size) continue
    const place = Math.min(from - 1, Math.max(0, ((i + 0.5) * from) / length - 0.5))
    const first = Math.floor(place)
    taps.push({ to, first, second: Math.min(from - 1, first + 1), share: place - first })
  }
  return taps
}

function mix(a: number, b: number, share: number): number {
  return a + (b - a) * share
}
