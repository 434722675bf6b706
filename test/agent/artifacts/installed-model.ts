import type { InstalledModel } from '../../../agent/artifacts/index.ts'

/** A `model.json` for tests that are not about it. */
export function installedModelOf(variant: string): InstalledModel {
  return {
    v: 1,
    model: 'motor',
    revision: 1,
    variant,
    scheme: 'float32',
    file: 'model.tflite',
    runtime: 'litert',
    library: null,
    delegates: [],
    device: null,
    threads: null,
    cores: null,
    inputs: null,
    outputs: null,
    labels: null,
    sketch: null,
  }
}
