import { ARRAY_OF, sizeOf, type Tensor } from '../tensors.ts'
import { RuntimeError } from './errors.ts'
import type { TensorInfo } from './runtime.ts'

/** `float32[1,32,32,3]`, open dimensions as `?`. */
export function printType(of: {
  readonly type: string
  readonly shape: readonly number[]
}): string {
  return `${of.type}[${of.shape.map((dim) => (dim < 0 ? '?' : dim)).join(',')}]`
}

/** Of all tensors, to tell whether others came. Brackets, so that a scalar input is not the same as no input. */
export function shapesText(tensors: readonly { readonly shape: readonly number[] }[]): string {
  return tensors.map((tensor) => `[${tensor.shape.join(',')}]`).join(';')
}

/**
 * The inputs in the model's order.
 * @throws RuntimeError `wrong-input` naming the input, what it takes and what it got
 */
export function orderedInputs(
  infos: readonly TensorInfo[],
  inputs: Readonly<Record<string, Tensor>>,
): Tensor[] {
  for (const name of Object.keys(inputs))
    if (!infos.some((info) => info.name === name)) {
      const known = infos.map((info) => info.name).join(', ')
      throw wrongInput(`the model has no input "${name}": its inputs are ${known}`)
    }
  return infos.map((info) => {
    const given = inputs[info.name]
    if (given === undefined)
      throw wrongInput(`input "${info.name}" is missing: it takes ${printType(info)}`)
    checkInput(info, given)
    return given
  })
}

function checkInput(info: TensorInfo, given: Tensor): void {
  const fits =
    given.type === info.type &&
    given.shape.length === info.shape.length &&
    info.shape.every((dim, axis) => dim < 0 || dim === given.shape[axis])
  if (!fits)
    throw wrongInput(`input "${info.name}" takes ${printType(info)}, got ${printType(given)}`)
  const right = given.data instanceof ARRAY_OF[given.type]
  if (!right || given.data.length !== sizeOf(given.shape))
    throw wrongInput(
      `input "${info.name}" got ${given.data.constructor.name} of ${given.data.length} elements for ${printType(given)}`,
    )
}

function wrongInput(message: string): RuntimeError {
  return new RuntimeError('wrong-input', message)
}
