import {
  readTflite,
  type TflModel,
  type TflOperator,
  type TflTensor,
  writeTflite,
} from '../../../../planner/formats/tflite/index.ts'

/** A dense layer of one input and three outputs, valid in every runtime; tests damage copies of it. */
export function smallModel(): TflModel {
  return readTflite(writeTflite(dense()))
}

function dense(): TflModel {
  const weights = Float32Array.of(1, -2, 0.5)
  return {
    version: 3,
    description: 'made by a test',
    operatorCodes: [{ builtinCode: 'FULLY_CONNECTED', customCode: null, version: 1 }],
    subgraphs: [
      {
        name: 'main',
        tensors: [
          tensorOf('x', [1, 1], 0),
          tensorOf('weights', [3, 1], 1),
          tensorOf('y', [1, 3], 0),
        ],
        inputs: [0],
        outputs: [2],
        operators: [
          {
            ...operatorOf(0, [0, 1, -1], [2]),
            builtinOptions: { type: 'FullyConnectedOptions' },
          },
        ],
      },
    ],
    buffers: [{ data: null }, { data: new Uint8Array(weights.buffer) }],
    metadata: [],
    metadataBuffer: null,
    signatureDefs: [
      {
        signatureKey: 'serving_default',
        subgraphIndex: 0,
        inputs: [{ name: 'x', tensorIndex: 0 }],
        outputs: [{ name: 'y', tensorIndex: 2 }],
      },
    ],
  }
}

export function tensorOf(name: string, shape: number[], buffer: number): TflTensor {
  return {
    name,
    type: 'FLOAT32',
    shape,
    shapeSignature: null,
    buffer,
    isVariable: false,
    quantization: null,
    sparsity: null,
    hasRank: false,
    variantTensors: null,
    externalBuffer: 0,
  }
}

export function operatorOf(opcodeIndex: number, inputs: number[], outputs: number[]): TflOperator {
  return {
    opcodeIndex,
    inputs,
    outputs,
    builtinOptions: null,
    builtinOptions2: null,
    customOptions: null,
    intermediates: null,
    customOptionsFormat: 'FLEXBUFFERS',
    mutatingVariableInputs: null,
    debugMetadataIndex: -1,
  }
}

export function tensorAt(model: TflModel, index: number): TflTensor {
  const tensor = model.subgraphs[0]?.tensors[index]
  if (tensor === undefined) throw new Error(`the model has no tensor ${index}`)
  return tensor
}

export function operatorAt(model: TflModel, index: number): TflOperator {
  const operator = model.subgraphs[0]?.operators[index]
  if (operator === undefined) throw new Error(`the model has no operator ${index}`)
  return operator
}
