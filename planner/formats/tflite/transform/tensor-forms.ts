import type { Form } from '../../../graph/index.ts'
import { encode } from '../../../graph/index.ts'
import type { DraftTensor } from '../draft.ts'
import type { TflQuantization } from '../model.ts'

/** `float32` → `FLOAT32`. */
export function typeName(form: Form): string {
  return form.type.toUpperCase()
}

export function quantizationOf(form: Form): TflQuantization | null {
  if (!('parameters' in form)) return null
  const { scales, zeroPoints, axis } = form.parameters
  return {
    min: null,
    max: null,
    scale: Float32Array.from(scales),
    zeroPoint: BigInt64Array.from(zeroPoints, BigInt),
    quantizedDimension: axis ?? 0,
    details: null,
  }
}

/** A tensor like `source`, written down in `form`; its name is settled when all are made. */
export function inForm(source: DraftTensor, form: Form, data: Uint8Array | null): DraftTensor {
  return {
    fields: { ...source.fields, type: typeName(form), quantization: quantizationOf(form) },
    data,
  }
}

export function constantInForm(source: DraftTensor, form: Form, values: Float32Array): DraftTensor {
  return inForm(source, form, encode(values, source.fields.shape ?? [], form))
}
