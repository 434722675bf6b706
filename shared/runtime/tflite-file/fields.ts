/** Numbers of the fields in schema.fbs, of those tables that are read or written here. */
export const MODEL = { version: 0, codes: 1, subgraphs: 2, buffers: 4, signatures: 7 }
export const SUBGRAPH = { tensors: 0, inputs: 1, outputs: 2, operators: 3, debugMetadata: 5 }
export const OPERATOR = { opcode: 0, inputs: 1, outputs: 2, optionsType: 3, options: 4 }
export const TENSOR = {
  shape: 0,
  type: 1,
  buffer: 2,
  name: 3,
  quantization: 4,
  shapeSignature: 7,
  rank: 8,
}
export const BUFFER = { data: 0 }
