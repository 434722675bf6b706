import { readOnnx, writeOnnx } from './codec.ts'
import { OnnxError } from './errors.ts'
import type { OnnxValueInfo } from './model.ts'

/** Sizes by input name. */
export type InputShapes = ReadonlyMap<string, readonly number[]>

/**
 * The model with its open input sizes closed: what the runtime and the quantizer can find out about shapes follows.
 * @throws OnnxError `unsuitable-shape` naming the input and what it takes
 */
export function fixShapes(bytes: Uint8Array, shapes: InputShapes, fileName: string): Uint8Array {
  const model = readOnnx(bytes, fileName)
  const inputs = new Map(model.graph?.input.map((input) => [input.name, input]))
  for (const [name, sizes] of shapes) {
    const input = inputs.get(name)
    if (input === undefined) {
      const known = [...inputs.keys()].join(', ')
      throw unsuitable(`${fileName} has no input "${name}": its inputs are ${known}`)
    }
    close(input, sizes)
  }
  // They were told for the sizes before.
  if (model.graph) model.graph.valueInfo = []
  return writeOnnx(model)
}

function close({ name, type }: OnnxValueInfo, sizes: readonly number[]): void {
  const shape = type?.value.case === 'tensorType' ? type.value.value.shape : undefined
  if (shape === undefined) throw unsuitable(`input "${name}" has no shape to fill in`)
  const dims = shape.dim.map(({ value }) => (value.case === 'dimValue' ? Number(value.value) : -1))
  const fits =
    dims.length === sizes.length && dims.every((dim, axis) => dim < 0 || dim === sizes[axis])
  if (!fits) {
    const takes = dims.map((dim) => (dim < 0 ? '?' : dim)).join(',')
    throw unsuitable(`input "${name}" takes [${takes}], not [${sizes.join(',')}]`)
  }
  shape.dim.forEach((dim, axis) => {
    dim.value = { case: 'dimValue', value: BigInt(sizes[axis] ?? 1) }
  })
}

function unsuitable(message: string): OnnxError {
  return new OnnxError(
    'unsuitable-shape',
    `${message}; give --shape NAME=SIZES for each open input`,
  )
}
