/**
 * Enums of schema.fbs: storage type, then the names in order of their values 0, 1, 2 …
 * (no enum of the schema has gaps).
 */
import { BUILTIN_OPERATORS } from '../../../../../shared/runtime/index.ts'

export const ENUMS = {
  TensorType: `
    byte: FLOAT32 FLOAT16 INT32 UINT8 INT64 STRING BOOL INT16 COMPLEX64 INT8 FLOAT64 COMPLEX128
    UINT64 RESOURCE VARIANT UINT32 UINT16 INT4 BFLOAT16 INT2 UINT4 FLOAT8_E4M3FN FLOAT8_E5M2`,
  DimensionType: 'byte: DENSE SPARSE_CSR',
  StablehloPrecisionConfig: 'uint: DEFAULT HIGH HIGHEST',
  StablehloComparisonDirection: `
    uint: STABLEHLO_COMPARISON_DIRECTION_EQ STABLEHLO_COMPARISON_DIRECTION_NE
    STABLEHLO_COMPARISON_DIRECTION_GE STABLEHLO_COMPARISON_DIRECTION_GT
    STABLEHLO_COMPARISON_DIRECTION_LE STABLEHLO_COMPARISON_DIRECTION_LT`,
  StablehloComparisonType: `
    uint: STABLEHLO_COMPARISON_TYPE_NOTYPE STABLEHLO_COMPARISON_TYPE_FLOAT
    STABLEHLO_COMPARISON_TYPE_FLOAT_TOTAL_ORDER STABLEHLO_COMPARISON_TYPE_SIGNED
    STABLEHLO_COMPARISON_TYPE_UNSIGNED`,
  RngAlgorithm: 'byte: DEFAULT PHILOX THREEFRY',
  Padding: 'byte: SAME VALID',
  ActivationFunctionType: 'byte: NONE RELU RELU_N1_TO_1 RELU6 TANH SIGN_BIT',
  LSHProjectionType: 'byte: UNKNOWN SPARSE DENSE',
  FullyConnectedOptionsWeightsFormat: 'byte: DEFAULT SHUFFLED4x16INT8',
  LSTMKernelType: 'byte: FULL BASIC',
  CombinerType: 'byte: SUM MEAN SQRTN',
  MirrorPadMode: 'byte: REFLECT SYMMETRIC',
  ReduceWindowFunction: 'int: UNSUPPORTED ADD MUL MINIMUM MAXIMUM ALL ANY',
  CustomOptionsFormat: 'byte: FLEXBUFFERS',
  BuiltinOperator: BUILTIN_OPERATORS,
} as const
