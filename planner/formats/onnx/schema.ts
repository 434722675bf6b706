/**
 * Every message of ONNX's schema (onnx.proto, IR version 14): `field:type=number`, `[]` repeated,
 * `[packed]` repeated scalars in one run, `|group` member of the oneof of that name. proto2: absent
 * and default are different things, and stay so.
 */
export const MESSAGES = {
  ModelProto:
    'irVersion:int64=1 producerName:string=2 producerVersion:string=3 domain:string=4 modelVersion:int64=5 docString:string=6 graph:GraphProto=7 opsetImport:OperatorSetIdProto[]=8 metadataProps:StringStringEntryProto[]=14 trainingInfo:TrainingInfoProto[]=20 functions:FunctionProto[]=25 configuration:DeviceConfigurationProto[]=26',
  OperatorSetIdProto: 'domain:string=1 version:int64=2',
  StringStringEntryProto: 'key:string=1 value:string=2',
  TrainingInfoProto:
    'initialization:GraphProto=1 algorithm:GraphProto=2 initializationBinding:StringStringEntryProto[]=3 updateBinding:StringStringEntryProto[]=4',
  DeviceConfigurationProto: 'name:string=1 numDevices:int32=2 device:string[]=3',
  FunctionProto:
    'name:string=1 input:string[]=4 output:string[]=5 attribute:string[]=6 node:NodeProto[]=7 docString:string=8 opsetImport:OperatorSetIdProto[]=9 domain:string=10 attributeProto:AttributeProto[]=11 valueInfo:ValueInfoProto[]=12 overload:string=13 metadataProps:StringStringEntryProto[]=14',
  GraphProto:
    'node:NodeProto[]=1 name:string=2 initializer:TensorProto[]=5 docString:string=10 input:ValueInfoProto[]=11 output:ValueInfoProto[]=12 valueInfo:ValueInfoProto[]=13 quantizationAnnotation:TensorAnnotation[]=14 sparseInitializer:SparseTensorProto[]=15 metadataProps:StringStringEntryProto[]=16',
  TensorAnnotation: 'tensorName:string=1 quantParameterTensorNames:StringStringEntryProto[]=2',
  NodeProto:
    'input:string[]=1 output:string[]=2 name:string=3 opType:string=4 attribute:AttributeProto[]=5 docString:string=6 domain:string=7 overload:string=8 metadataProps:StringStringEntryProto[]=9 deviceConfigurations:NodeDeviceConfigurationProto[]=10',
  NodeDeviceConfigurationProto:
    'configurationId:string=1 shardingSpec:ShardingSpecProto[]=2 pipelineStage:int32=3',
  ShardingSpecProto:
    'tensorName:string=1 device:int64[]=2 indexToDeviceGroupMap:IntIntListEntryProto[]=3 shardedDim:ShardedDimProto[]=4',
  IntIntListEntryProto: 'key:int64=1 value:int64[]=2',
  ShardedDimProto: 'axis:int64=1 simpleSharding:SimpleShardedDimProto[]=2',
  SimpleShardedDimProto: 'dimValue:int64=1|dim dimParam:string=2|dim numShards:int64=3',
  ValueInfoProto:
    'name:string=1 type:TypeProto=2 docString:string=3 metadataProps:StringStringEntryProto[]=4',
  AttributeProto:
    'name:string=1 f:float=2 i:int64=3 s:bytes=4 t:TensorProto=5 g:GraphProto=6 floats:float[]=7 ints:int64[]=8 strings:bytes[]=9 tensors:TensorProto[]=10 graphs:GraphProto[]=11 docString:string=13 tp:TypeProto=14 typeProtos:TypeProto[]=15 type:int32=20 refAttrName:string=21 sparseTensor:SparseTensorProto=22 sparseTensors:SparseTensorProto[]=23',
  TensorProto:
    'dims:int64[]=1 dataType:int32=2 segment:Segment=3 floatData:float[packed]=4 int32Data:int32[packed]=5 stringData:bytes[]=6 int64Data:int64[packed]=7 name:string=8 rawData:bytes=9 doubleData:double[packed]=10 uint64Data:uint64[packed]=11 docString:string=12 externalData:StringStringEntryProto[]=13 dataLocation:int32=14 metadataProps:StringStringEntryProto[]=16',
  Segment: 'begin:int64=1 end:int64=2',
  SparseTensorProto: 'values:TensorProto=1 indices:TensorProto=2 dims:int64[]=3',
  TensorShapeProto: 'dim:Dimension[]=1',
  Dimension: 'dimValue:int64=1|value dimParam:string=2|value denotation:string=3',
  TypeProto:
    'tensorType:TensorType=1|value sequenceType:SequenceType=4|value mapType:MapType=5|value denotation:string=6 opaqueType:OpaqueType=7|value sparseTensorType:SparseTensorType=8|value optionalType:OptionalType=9|value',
  TensorType: 'elemType:int32=1 shape:TensorShapeProto=2',
  SequenceType: 'elemType:TypeProto=1',
  MapType: 'keyType:int32=1 valueType:TypeProto=2',
  OptionalType: 'elemType:TypeProto=1',
  SparseTensorType: 'elemType:int32=1 shape:TensorShapeProto=2',
  OpaqueType: 'domain:string=1 name:string=2',
} as const

export type MessageName = keyof typeof MESSAGES

/** TensorProto.DataType: name → number, with the bits of one element (0: not a plain number). */
export const DATA_TYPES = {
  float32: { code: 1, bits: 32 },
  uint8: { code: 2, bits: 8 },
  int8: { code: 3, bits: 8 },
  uint16: { code: 4, bits: 16 },
  int16: { code: 5, bits: 16 },
  int32: { code: 6, bits: 32 },
  int64: { code: 7, bits: 64 },
  string: { code: 8, bits: 0 },
  bool: { code: 9, bits: 8 },
  float16: { code: 10, bits: 16 },
  float64: { code: 11, bits: 64 },
  uint32: { code: 12, bits: 32 },
  uint64: { code: 13, bits: 64 },
  complex64: { code: 14, bits: 64 },
  complex128: { code: 15, bits: 128 },
  bfloat16: { code: 16, bits: 16 },
  float8e4m3fn: { code: 17, bits: 8 },
  float8e4m3fnuz: { code: 18, bits: 8 },
  float8e5m2: { code: 19, bits: 8 },
  float8e5m2fnuz: { code: 20, bits: 8 },
  uint4: { code: 21, bits: 4 },
  int4: { code: 22, bits: 4 },
  float4e2m1: { code: 23, bits: 4 },
  float8e8m0: { code: 24, bits: 8 },
  uint2: { code: 25, bits: 2 },
  int2: { code: 26, bits: 2 },
  float6e2m3: { code: 27, bits: 6 },
  float6e3m2: { code: 28, bits: 6 },
} as const
export type OnnxDataType = keyof typeof DATA_TYPES

export const ATTRIBUTE_TYPES = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
  tensors: 9,
  graphs: 10,
  sparseTensor: 11,
  sparseTensors: 12,
  typeProto: 13,
  typeProtos: 14,
} as const
