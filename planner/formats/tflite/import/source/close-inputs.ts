import { ARRAY_OF } from '../../../../../shared/tensors.ts'
import type { OnnxDimension, OnnxModel, OnnxValueInfo } from '../../../onnx/index.ts'
import { dataTypeName } from '../../../onnx/index.ts'
import { OnnxImportError } from '../errors.ts'

/**
 * Closes what the inputs leave open: the first dimension to `batch`; any other must be given by whoever asks.
 * Changes `model`.
 * @returns names of the inputs whose batch was open
 * @throws OnnxImportError naming the first input that no .tflite model can have
 */
export function closeInputs(model: OnnxModel, batch: number): string[] {
  const constants = new Set(model.graph?.initializer.map(({ name }) => name))
  const inputs = model.graph?.input.filter(({ name }) => !constants.has(name)) ?? []
  const batches = new Set(inputs.flatMap((input) => nameOf(dimsOf(input)[0]) ?? []))
  return inputs.flatMap((input) => (closeInput(input, batch, batches) ? [input.name] : []))
}

function dimsOf({ type }: OnnxValueInfo): readonly OnnxDimension[] {
  return (type?.value.case === 'tensorType' ? type.value.value.shape?.dim : undefined) ?? []
}

/** What the source calls an open size; states keep the batch behind their layers. */
function nameOf(dim: OnnxDimension | undefined): string | undefined {
  return dim?.value.case === 'dimParam' && dim.value.value !== '' ? dim.value.value : undefined
}

function closeInput(
  { name, type }: OnnxValueInfo,
  batch: number,
  batches: ReadonlySet<string>,
): boolean {
  if (type?.value.case !== 'tensorType') {
    const kind = type?.value.case?.replace('Type', '') ?? 'value without a type'
    throw unsupported(
      `input "${name}" is ${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}: .tflite models take tensors only`,
      { name },
    )
  }
  const { elemType, shape } = type.value.value
  const element = dataTypeName(elemType) ?? `type ${elemType}`
  if (!(element in ARRAY_OF)) {
    throw unsupported(
      `input "${name}" takes ${element}, for which .tflite models have no kernels: use numbers`,
      { name },
    )
  }
  if (shape === undefined) {
    throw unsupported(
      `the rank of input "${name}" is not known: export the model with the shapes of its inputs`,
      { name },
    )
  }
  const open = shape.dim.flatMap(({ value }, axis) => (isClosed(value) ? [] : [axis]))
  const others = open.filter((axis) => axis > 0 && !batches.has(nameOf(shape.dim[axis]) ?? ''))
  if (others.length > 0) {
    const sizes = shape.dim.map(({ value }) =>
      value.case === 'dimValue'
        ? String(value.value)
        : value.case === 'dimParam'
          ? value.value || '?'
          : '?',
    )
    const example = shape.dim.map(({ value }, axis) =>
      axis === 0 && !isClosed(value) ? 1 : isClosed(value) ? value.value : 'SIZE',
    )
    throw new OnnxImportError(
      'open-shape',
      `input "${name}" leaves sizes open ([${sizes}]), and only the batch may stay so: give --shape "${name}=${example}"`,
      { name, axes: others },
    )
  }
  const zero = shape.dim.findIndex(({ value }) => value.case === 'dimValue' && value.value === 0n)
  if (zero >= 0) {
    throw unsupported(
      `input "${name}" has no elements: dimension ${zero} is ${shape.dim[zero]?.value.value}`,
      { name },
    )
  }
  for (const axis of open) {
    const dim = shape.dim[axis]
    if (dim) dim.value = { case: 'dimValue', value: BigInt(batch) }
  }
  return open.length > 0
}

/** Some exporters write −1 where they mean an open size. */
function isClosed(value: OnnxDimension['value']): boolean {
  return value.case === 'dimValue' && value.value >= 0n
}

function unsupported(message: string, details: Record<string, unknown>): OnnxImportError {
  return new OnnxImportError('unsupported-model', message, details)
}
