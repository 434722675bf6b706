import { z } from 'zod'
import { ARCHITECTURES, type Architecture } from '../../shared/messages/hardware-report.ts'
import { openWord } from '../../shared/open-words.ts'
import { MODEL_FORMAT_NAMES, type RuntimeName } from '../../shared/runtime/index.ts'
import type { OnnxForm } from '../classes/index.ts'
import { TARGET_NAMES, type TargetName } from '../targets/index.ts'

const tensorInfoSchema = z.object({
  name: z.string(),
  type: z.string(),
  /** -1 where the model leaves a dimension open. */
  shape: z.array(z.number().int()),
})

/** What can be gained in ONNX Runtime: elements of weights that its kernels take in each form. */
const onnxFactsSchema = z.object({
  opset: z.number().int(),
  hybridElements: z.number().int(),
  integerElements: z.number().int(),
  /** Products whose weights may be int4 in blocks. */
  blockElements: z.number().int(),
})
export type OnnxFacts = z.infer<typeof onnxFactsSchema>

/** The same of the kernels of TensorFlow Lite. */
const tfliteFactsSchema = z.object({
  hybridElements: z.number().int(),
  integerElements: z.number().int(),
})
export type TfliteFacts = z.infer<typeof tfliteFactsSchema>

const NOT_KNOWN_TFLITE = 'the model was added before .onnx sources became .tflite too: add it again'

const NOT_KNOWN = 'the model was added before sources became .onnx too: add it again'

/** What planning needs to know of a source model; read once, when it is registered. */
export const modelFactsSchema = z.object({
  format: openWord(MODEL_FORMAT_NAMES),
  bytes: z.number().int(),
  inputs: z.array(tensorInfoSchema),
  outputs: z.array(tensorInfoSchema),
  /** By canonical kind. */
  operators: z.array(z.object({ kind: z.string(), count: z.number().int() })),
  /** Elements of float constants, and those of them that are weights of operators with hybrid kernels. */
  floatElements: z.number().int(),
  hybridElements: z.number().int(),
  /** Weights of operators with integer kernels, however they are stored. */
  integerElements: z.number().int(),
  /** Constants that are quantized in the source already, elements. */
  quantizedElements: z.number().int(),
  /** Bytes of the largest activation at batch 1, in float. */
  largestActivationBytes: z.number().int(),
  /** Multiply-accumulates of a run at batch 1; models added before it was counted say nothing. */
  macs: z.number().optional(),
  /** The source as .onnx, or why it cannot become one. */
  onnx: z
    .union([onnxFactsSchema, z.object({ obstacle: z.string() })])
    .default({ obstacle: NOT_KNOWN }),
  /** The source as .tflite, or why it cannot become one. */
  tflite: z
    .union([tfliteFactsSchema, z.object({ obstacle: z.string() })])
    .default({ obstacle: NOT_KNOWN_TFLITE }),
})
export type ModelFacts = z.infer<typeof modelFactsSchema>

/** A device class as planning sees it. */
export interface ClassFacts {
  readonly id: string
  readonly architecture: Architecture
  /** Numeric features of the board family, by its profile's names, for people: `dotprod`, `vnni`. */
  readonly features: readonly string[]
  /** What devices of the class can load and compute files of, by what they report. */
  readonly targets: readonly TargetName[]
  /** The oldest version of each runtime among them. */
  readonly oldestVersions: Readonly<Partial<Record<RuntimeName, string>>>
  /** Which static int8 ONNX form the processor computes best; null where nobody knows. */
  readonly onnxForm: OnnxForm | null
  /** Of the roomiest device; null: not limited. */
  readonly storageBytes: number | null
  readonly memoryBytes: number | null
}

export const architectureSchema = z.enum(ARCHITECTURES)
export const targetNameSchema = z.enum(TARGET_NAMES)
