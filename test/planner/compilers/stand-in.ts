import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeTflite } from '../../../planner/formats/tflite/index.ts'
import { buildModel } from '../quantizer/model-builder.ts'

/** An executable of our own in the place of a compiler: whatever `body` does. */
export function standIn(folder: string, name: string, body: string): string {
  const path = join(folder, name)
  writeFileSync(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 })
  return path
}

/** What a compiler makes: one operator of the accelerator, and a softmax left to the CPU. */
export function compiledModel(customCode: string): Uint8Array {
  const model = buildModel({
    inputs: { x: [1, 4] },
    operators: [
      { code: 'CUSTOM', inputs: ['x'], outputs: { h: [1, 4] } },
      { code: 'SOFTMAX', inputs: ['h'], outputs: { y: [1, 4] } },
    ],
    outputs: ['y'],
  })
  const operatorCodes = model.operatorCodes.map((code) =>
    code.builtinCode === 'CUSTOM' ? { ...code, customCode } : code,
  )
  return writeTflite({ ...model, operatorCodes })
}

/** What edgetpu_compiler 16 prints of a model that it takes in part, by its users' reports. */
export const EDGETPU_SAYS = `Edge TPU Compiler version 16.0.384591198
Started a compilation timeout timer of 180 seconds.

Model compiled successfully in 61 ms.

Input model: model.tflite
Input size: 63.00KiB
Output model: model_edgetpu.tflite
Output size: 160.00KiB
On-chip memory used for caching model parameters: 58.50KiB
On-chip memory remaining for caching model parameters: 7.62MiB
Off-chip memory used for streaming uncached model parameters: 0.00B
Number of Edge TPU subgraphs: 1
Total number of operations: 15
Operation log: model_edgetpu.log

Model successfully compiled but not all operations are supported by the Edge TPU.
Number of operations that will run on Edge TPU: 14
Number of operations that will run on CPU: 1

Operator                       Count      Status

SOFTMAX                        1          Operation is otherwise supported, but not mapped due to some unspecified limitation
CONV_2D                        5          Mapped to Edge TPU`

/** `edgetpu_compiler -s -o OUT MODEL`, as far as we use it: answers `--version`, else prints and writes. */
export function edgetpuStandIn(folder: string): string {
  writeFileSync(join(folder, 'compiled.tflite'), compiledModel('edgetpu-custom-op'))
  writeFileSync(join(folder, 'says.txt'), EDGETPU_SAYS)
  return standIn(
    folder,
    'edgetpu_compiler',
    `if [ "$1" = --version ]; then echo 'Edge TPU Compiler version 16.0.384591198'; exit; fi
[ "$1 $2" = '-s -o' ] || exit 9
cat '${join(folder, 'says.txt')}'
cp '${join(folder, 'compiled.tflite')}' "$3/model_edgetpu.tflite"`,
  )
}
