import type { ElementType } from '../../tensors.ts'
import { RuntimeError } from '../errors.ts'
import type { Pointer } from '../native/ffi.ts'
import type { Out } from '../native/status-api.ts'
import type { TensorInfo } from '../runtime.ts'
import { CANNOT_LOAD, type FileEnd } from './model-file.ts'
import type { OpenvinoApi } from './openvino-api.ts'

/** An input or output of a compiled model. */
export interface Port {
  /** Its place among OpenVINO's. */
  readonly index: number
  readonly info: TensorInfo
  /** Known before a run, dimension by dimension. */
  readonly fixed: boolean
}

interface Found {
  readonly name: string
  readonly type: ElementType | undefined
  readonly code: number
  readonly shape: readonly number[]
  readonly fixed: boolean
}

/** In the file's order, under the file's names. @throws RuntimeError `not-loadable` */
export function portsOf(
  api: OpenvinoApi,
  compiled: Pointer,
  side: 'input' | 'output',
  ends: readonly FileEnd[],
): Port[] {
  const found = list(api, compiled, side)
  const order = placesOf(
    ends.map(({ tensor }) => tensor),
    found.map(({ name }) => name),
  )
  if (order === undefined)
    throw new RuntimeError(
      'not-loadable',
      `OpenVINO makes ${found.length} ${side}s of the ${ends.length} of this model`,
    )
  return ends.flatMap((end, i) => {
    const index = order[i] ?? i
    const port = found[index]
    return port === undefined ? [] : [{ index, info: infoOf(end, port, side), fixed: port.fixed }]
  })
}

/**
 * For each name its place in the list; names that OpenVINO does not tell, in order, what is left.
 * Undefined where the lengths differ.
 */
export function placesOf(
  names: readonly string[],
  list: readonly string[],
): readonly number[] | undefined {
  if (names.length !== list.length) return undefined
  const free = new Set(list.keys())
  const take = (fits: (place: number) => boolean) => {
    const place = [...free].find(fits)
    if (place !== undefined) free.delete(place)
    return place
  }
  return names
    .map((name) => take((place) => list[place] === name))
    .map((place) => place ?? take(() => true) ?? 0)
}

function infoOf({ tensor, told }: FileEnd, port: Found, side: string): TensorInfo {
  const name = told?.name ?? tensor
  if (port.type === undefined)
    throw new RuntimeError(
      'not-loadable',
      `the ${side} "${name}" has element type ${port.code} of OpenVINO, which is no number of ours: use a model with numeric inputs and outputs`,
      { name, code: port.code },
    )
  if (told === undefined) return { name, type: port.type, shape: port.shape }
  if (told.type === port.type && told.shape.length === port.shape.length) return told
  throw new RuntimeError(
    'not-loadable',
    `OpenVINO makes ${port.type} of rank ${port.shape.length} of the ${side} "${name}", which is ${told.type} of rank ${told.shape.length} in the file`,
    { name },
  )
}

function list(api: OpenvinoApi, compiled: Pointer, side: 'input' | 'output'): Found[] {
  const { call } = api
  const [count, port] =
    side === 'input' ? [call.inputCount, call.input] : [call.outputCount, call.output]
  const size = [0]
  api.ok('not-loadable', CANNOT_LOAD, count(compiled, size))
  return Array.from({ length: Number(size[0]) }, (_, index) => {
    const at = api.made('not-loadable', CANNOT_LOAD, (out) => port(compiled, index, out))
    try {
      return describe(api, at)
    } finally {
      call.freePort(at)
    }
  })
}

function describe(api: OpenvinoApi, port: Pointer): Found {
  const { call } = api
  const code = [0]
  api.ok('not-loadable', CANNOT_LOAD, call.portType(port, code))
  const shape = { leastRank: 0, mostRank: 0, dims: null as Pointer | null }
  api.ok('not-loadable', CANNOT_LOAD, call.portShape(port, shape))
  // Of an unknown rank there are no dimensions; other runtimes say [] then, too.
  const pairs = api.numbers(shape.dims, shape.dims === null ? 0 : 2 * Number(shape.mostRank))
  call.freePartialShape(shape)
  const dims = pairs.flatMap((least, i) => {
    if (i % 2 === 1) return []
    return [least === pairs[i + 1] ? least : -1]
  })
  return {
    name: api.text((out: Out) => call.portName(port, out)) ?? '',
    code: Number(code[0]),
    type: api.elements.typeOf(Number(code[0])),
    shape: dims,
    fixed: shape.leastRank === shape.mostRank && dims.every((dim) => dim >= 0),
  }
}
