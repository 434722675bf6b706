/** Options of the builtin operators (union BuiltinOptions); notation as in model-tables.ts. */
export const OPTIONS_TABLES = {
  Conv2DOptions: `
    padding:Padding strideW:int strideH:int fusedActivationFunction:ActivationFunctionType
    dilationWFactor:int=1 dilationHFactor:int=1 quantizedBiasType:TensorType`,
  DepthwiseConv2DOptions: `
    padding:Padding strideW:int strideH:int depthMultiplier:int
    fusedActivationFunction:ActivationFunctionType dilationWFactor:int=1 dilationHFactor:int=1`,
  ConcatEmbeddingsOptions: `
    numChannels:int numColumnsPerChannel:[int] embeddingDimPerChannel:[int]`,
  /** The schema calls the field `type`, which is our discriminant. */
  LSHProjectionOptions: 'projectionType:LSHProjectionType',
  Pool2DOptions: `
    padding:Padding strideW:int strideH:int filterWidth:int filterHeight:int
    fusedActivationFunction:ActivationFunctionType`,
  SVDFOptions: `
    rank:int fusedActivationFunction:ActivationFunctionType asymmetricQuantizeInputs:bool`,
  RNNOptions: 'fusedActivationFunction:ActivationFunctionType asymmetricQuantizeInputs:bool',
  FullyConnectedOptions: `
    fusedActivationFunction:ActivationFunctionType
    weightsFormat:FullyConnectedOptionsWeightsFormat keepNumDims:bool
    asymmetricQuantizeInputs:bool quantizedBiasType:TensorType quantSpec:[ubyte]`,
  SoftmaxOptions: 'beta:float',
  ConcatenationOptions: 'axis:int fusedActivationFunction:ActivationFunctionType',
  AddOptions: 'fusedActivationFunction:ActivationFunctionType potScaleInt16:bool=true',
  L2NormOptions: 'fusedActivationFunction:ActivationFunctionType',
  LocalResponseNormalizationOptions: 'radius:int bias:float alpha:float beta:float',
  LSTMOptions: `
    fusedActivationFunction:ActivationFunctionType cellClip:float projClip:float
    kernelType:LSTMKernelType asymmetricQuantizeInputs:bool`,
  ResizeBilinearOptions: 'newHeight:int newWidth:int alignCorners:bool halfPixelCenters:bool',
  CallOptions: 'subgraph:uint',
  ReshapeOptions: 'newShape:[int]',
  SkipGramOptions: 'ngramSize:int maxSkipSize:int includeAllNgrams:bool',
  SpaceToDepthOptions: 'blockSize:int',
  EmbeddingLookupSparseOptions: 'combiner:CombinerType',
  MulOptions: 'fusedActivationFunction:ActivationFunctionType',
  GatherOptions: 'axis:int batchDims:int',
  ReducerOptions: 'keepDims:bool',
  SubOptions: 'fusedActivationFunction:ActivationFunctionType potScaleInt16:bool=true',
  DivOptions: 'fusedActivationFunction:ActivationFunctionType',
  SqueezeOptions: 'squeezeDims:[int]',
  SequenceRNNOptions: `
    timeMajor:bool fusedActivationFunction:ActivationFunctionType asymmetricQuantizeInputs:bool`,
  StridedSliceOptions: `
    beginMask:int endMask:int ellipsisMask:int newAxisMask:int shrinkAxisMask:int offset:bool`,
  SplitOptions: 'numSplits:int',
  CastOptions: 'inDataType:TensorType outDataType:TensorType',
  ArgMaxOptions: 'outputType:TensorType',
  TransposeConvOptions: `
    padding:Padding strideW:int strideH:int fusedActivationFunction:ActivationFunctionType
    quantizedBiasType:TensorType`,
  SparseToDenseOptions: 'validateIndices:bool',
  ShapeOptions: 'outType:TensorType',
  ArgMinOptions: 'outputType:TensorType',
  FakeQuantOptions: 'min:float max:float numBits:int narrowRange:bool',
  PackOptions: 'valuesCount:int axis:int',
  OneHotOptions: 'axis:int',
  UnpackOptions: 'num:int axis:int',
  BidirectionalSequenceLSTMOptions: `
    fusedActivationFunction:ActivationFunctionType cellClip:float projClip:float
    mergeOutputs:bool timeMajor:bool=true asymmetricQuantizeInputs:bool`,
  BidirectionalSequenceRNNOptions: `
    timeMajor:bool fusedActivationFunction:ActivationFunctionType mergeOutputs:bool
    asymmetricQuantizeInputs:bool`,
  UnidirectionalSequenceLSTMOptions: `
    fusedActivationFunction:ActivationFunctionType cellClip:float projClip:float timeMajor:bool
    asymmetricQuantizeInputs:bool diagonalRecurrentTensors:bool`,
  ResizeNearestNeighborOptions: 'alignCorners:bool halfPixelCenters:bool',
  LeakyReluOptions: 'alpha:float',
  MirrorPadOptions: 'mode:MirrorPadMode',
  SplitVOptions: 'numSplits:int',
  UniqueOptions: 'idxOutType:TensorType=INT32',
  ReverseSequenceOptions: 'seqDim:int batchDim:int',
  IfOptions: 'thenSubgraphIndex:int elseSubgraphIndex:int',
  WhileOptions: 'condSubgraphIndex:int bodySubgraphIndex:int',
  DepthToSpaceOptions: 'blockSize:int',
  BatchMatMulOptions: 'adjX:bool adjY:bool asymmetricQuantizeInputs:bool',
  CumsumOptions: 'exclusive:bool reverse:bool',
  CallOnceOptions: 'initSubgraphIndex:int',
  Conv3DOptions: `
    padding:Padding strideD:int strideW:int strideH:int
    fusedActivationFunction:ActivationFunctionType dilationDFactor:int=1 dilationWFactor:int=1
    dilationHFactor:int=1`,
  HashtableOptions: 'tableId:int keyDtype:TensorType valueDtype:TensorType',
  VarHandleOptions: 'container:string sharedName:string',
  RandomOptions: 'seed:long seed2:long',
  BucketizeOptions: 'boundaries:[float]',
  GeluOptions: 'approximate:bool',
} as const

/** Options tables without fields: their presence is all they say. */
export const FIELDLESS = `
  PadOptions BatchToSpaceNDOptions SpaceToBatchNDOptions TransposeOptions ExpOptions TopKV2Options
  LogSoftmaxOptions DequantizeOptions MaximumMinimumOptions LessOptions NegOptions PadV2Options
  GreaterOptions GreaterEqualOptions LessEqualOptions SelectOptions SliceOptions TileOptions
  ExpandDimsOptions EqualOptions NotEqualOptions PowOptions LogicalOrOptions LogicalAndOptions
  LogicalNotOptions FloorDivOptions SquareOptions ZerosLikeOptions FillOptions FloorModOptions
  RangeOptions SquaredDifferenceOptions AbsOptions ReverseV2Options AddNOptions GatherNdOptions
  CosOptions WhereOptions RankOptions MatrixDiagOptions QuantizeOptions MatrixSetDiagOptions
  HardSwishOptions NonMaxSuppressionV4Options NonMaxSuppressionV5Options ScatterNdOptions
  SelectV2Options DensifyOptions SegmentSumOptions BroadcastToOptions Rfft2dOptions
  HashtableFindOptions HashtableImportOptions HashtableSizeOptions ReadVariableOptions
  AssignVariableOptions DynamicUpdateSliceOptions UnsortedSegmentProdOptions
  UnsortedSegmentMaxOptions UnsortedSegmentMinOptions UnsortedSegmentSumOptions ATan2Options
  SignOptions BitcastOptions BitwiseXorOptions RightShiftOptions DilateOptions
  StablehloShiftLeftOptions` as const
