import type { ActivationType, WeightBits } from './numbers/forms.ts'

/** What the runtime that will load the file can take, and what its model edges look like. */
export interface CodeForms {
  readonly activations: ActivationType
  readonly weightBits: WeightBits
  /** Type at the model's inputs and outputs. */
  readonly edges: 'float32' | ActivationType
  /** Integer kernels take one scale per output channel of a fully-connected weight. */
  readonly perChannelFullyConnected: boolean
  /** The same for float activations: needs a runtime of 2024 (opcode version 12). */
  readonly perChannelHybridFullyConnected: boolean
}
