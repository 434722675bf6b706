/** Options of union BuiltinOptions2, mostly StableHLO; notation as in model-tables.ts. */
export const OPTIONS2_TABLES = {
  StablehloConcatenateOptions: 'dimension:long',
  StablehloBroadcastInDimOptions: 'broadcastDimensions:[long]',
  StablehloSliceOptions: 'startIndices:[long] limitIndices:[long] strides:[long]',
  StablehloConvolutionOptions: `
    windowStrides:[long] padding:[long] lhsDilation:[long] rhsDilation:[long]
    windowReversal:[bool] inputBatchDimension:long inputFeatureDimension:long
    inputSpatialDimensions:[long] kernelInputFeatureDimension:long
    kernelOutputFeatureDimension:long kernelSpatialDimensions:[long] outputBatchDimension:long
    outputFeatureDimension:long outputSpatialDimensions:[long] featureGroupCount:long
    batchGroupCount:long precisionConfig:[StablehloPrecisionConfig]`,
  StablehloCustomCallOptions: `
    callTargetName:string hasSideEffect:bool backendConfig:string apiVersion:int
    calledComputations:[int] customAttributes:[ubyte]`,
  StablehloReduceOptions: 'dimensions:[long] bodySubgraphIndex:int',
  StablehloScatterOptions: `
    indicesAreSorted:bool updateWindowDims:[long] insertedWindowDims:[long]
    scatterDimsToOperandDims:[long] indexVectorDim:long uniqueIndices:bool
    updateComputationSubgraphIndex:int`,
  StablehloCompareOptions: `
    comparisonDirection:StablehloComparisonDirection compareType:StablehloComparisonType`,
  StablehloDynamicSliceOptions: 'sliceSizes:[long]',
  StablehloPadOptions: 'edgePaddingLow:[long] edgePaddingHigh:[long] interiorPadding:[long]',
  StablehloIotaOptions: 'iotaDimension:long',
  StablehloDotGeneralOptions: `
    lhsBatchingDimensions:[long] rhsBatchingDimensions:[long] lhsContractingDimensions:[long]
    rhsContractingDimensions:[long] precisionConfig:[StablehloPrecisionConfig]`,
  StablehloReduceWindowOptions: `
    windowDimensions:[long] windowStrides:[long] baseDilations:[long] windowDilations:[long]
    padding:[long] bodySubgraphIndex:int`,
  StablehloSortOptions: 'dimension:long isStable:bool comparatorSubgraphIndex:int',
  StablehloWhileOptions: 'condSubgraphIndex:int bodySubgraphIndex:int',
  StablehloGatherOptions: `
    offsetDims:[long] collapsedSliceDims:[long] startIndexMap:[long] indexVectorDim:long
    sliceSizes:[long] indicesAreSorted:bool`,
  StablehloTransposeOptions: 'permutation:[long]',
  StablehloRngBitGeneratorOptions: 'algorithm:RngAlgorithm',
  ReduceWindowOptions: 'reduceFunction:ReduceWindowFunction',
  StableHLOCompositeOptions: `
    name:string decompositionSubgraphIndex:int compositeAttributes:[ubyte]
    compositeAttributesFormat:CustomOptionsFormat version:int`,
  StablehloCaseOptions: 'branchSubgraphIndices:[int]',
} as const
