/**
 * Tables that make up a model, one row per table, fields in vtable order.
 *
 *   name:type        a scalar, enum, string, table or union; a union takes two slots (tag, value)
 *   name:[type]      a vector
 *   …@16             force_align of the vector's first byte
 *   …=value          default where it is not zero or the enum's first name
 *   …!               an absent vector reads as an empty one (the model type has no null there)
 *
 * Deprecated fields are rows like any other: old files carry them, and nothing may be lost.
 */
export const MODEL_TABLES = {
  CustomQuantization: 'custom:[ubyte]@16',
  BlockwiseQuantization: 'scales:int zeroPoints:int blockSize:int blockShape:[int]',
  MultiAxisQuantization: 'scales:int zeroPoints:int blockSize:int quantizedDimensions:[int]',
  QuantizationParameters: `
    min:[float] max:[float] scale:[float] zeroPoint:[long] details:QuantizationDetails
    quantizedDimension:int`,
  Int32Vector: 'values:[int]',
  Uint16Vector: 'values:[ushort]@4',
  Uint8Vector: 'values:[ubyte]@4',
  DimensionMetadata: `
    format:DimensionType denseSize:int arraySegments:SparseIndexVector
    arrayIndices:SparseIndexVector`,
  SparsityParameters: 'traversalOrder:[int] blockMap:[int] dimMetadata:[DimensionMetadata]',
  VariantSubType: 'shape:[int] type:TensorType hasRank:bool',
  Tensor: `
    shape:[int] type:TensorType buffer:uint name:string quantization:QuantizationParameters
    isVariable:bool sparsity:SparsityParameters shapeSignature:[int] hasRank:bool
    variantTensors:[VariantSubType] externalBuffer:uint`,
  OperatorCode: `
    deprecatedBuiltinCode:byte customCode:string version:int=1 builtinCode:BuiltinOperator`,
  Operator: `
    opcodeIndex:uint inputs:[int]! outputs:[int]! builtinOptions:BuiltinOptions
    customOptions:[ubyte] customOptionsFormat:CustomOptionsFormat mutatingVariableInputs:[bool]
    intermediates:[int] largeCustomOptionsOffset:ulong largeCustomOptionsSize:ulong
    builtinOptions2:BuiltinOptions2 debugMetadataIndex:int=-1`,
  SubGraph: `
    tensors:[Tensor]! inputs:[int]! outputs:[int]! operators:[Operator]! name:string
    debugMetadataIndex:int=-1`,
  Buffer: 'data:[ubyte]@16 offset:ulong size:ulong',
  ExternalBufferGroup: 'name:string',
  ExternalBuffer: 'id:uint group:uint offset:ulong length:ulong packing:string',
  Metadata: 'name:string buffer:uint',
  TensorMap: 'name:string tensorIndex:uint',
  SignatureDef: `
    inputs:[TensorMap]! outputs:[TensorMap]! signatureKey:string deprecatedTag:string
    subgraphIndex:uint`,
  Model: `
    version:uint operatorCodes:[OperatorCode]! subgraphs:[SubGraph]! description:string
    buffers:[Buffer]! metadataBuffer:[int] metadata:[Metadata]! signatureDefs:[SignatureDef]!
    externalBufferGroups:[ExternalBufferGroup] externalBuffers:[ExternalBuffer]`,
} as const
