import type { QualitySubject } from './subject.ts'
import { autoencoder } from './subjects/autoencoder.ts'
import { conformance } from './subjects/conformance.ts'
import { cost } from './subjects/cost.ts'
import { crossCheck } from './subjects/cross-check.ts'
import { fleet } from './subjects/fleet.ts'
import { ic01 } from './subjects/ic01.ts'
import { mobilenet } from './subjects/mobilenet.ts'
import { motorFaults } from './subjects/motor-faults.ts'
import { onnxChecker } from './subjects/onnx-checker.ts'
import { onnxCost } from './subjects/onnx-cost.ts'
import { onnxEncoder } from './subjects/onnx-encoder.ts'
import { onnxImages } from './subjects/onnx-images.ts'
import { onnxMixed } from './subjects/onnx-mixed.ts'

/** In the order they are printed. A new subject is a file in `subjects/` and a line here. */
export const SUBJECTS: readonly QualitySubject[] = [
  ic01,
  motorFaults,
  mobilenet,
  autoencoder,
  crossCheck,
  onnxChecker,
  conformance,
  cost,
  onnxImages,
  onnxMixed,
  onnxEncoder,
  onnxCost,
  fleet,
]
