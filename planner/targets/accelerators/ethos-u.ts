import type { OperatorKind } from '../../graph/index.ts'
import { TFLITE_FILES } from '../litert-files.ts'
import type { Target } from '../target.ts'
import { type OperatorSupport, takesOnly } from './accelerator.ts'

const REPORT = 'Vela 5.2.0, --supported-ops-report'

/** Operators of Ethos-U55 and U65, by that report. */
const U55: readonly OperatorKind[] = [
  'conv',
  'depthwise-conv',
  'transpose-conv',
  'fully-connected',
  'batch-matmul',
  // Of recurrent operators UNIDIRECTIONAL_SEQUENCE_LSTM alone; the quantizer leaves all of them in float.
  'recurrent',
  'softmax',
  'logistic',
  'tanh',
  'add',
  'sub',
  'mul',
  'squared-difference',
  'maximum',
  'minimum',
  'prelu',
  'relu',
  'relu6',
  'relu-n1-to-1',
  'relu-0-to-1',
  'leaky-relu',
  'hard-swish',
  'gelu',
  'elu',
  'abs',
  'exp',
  'log',
  'rsqrt',
  'mean',
  'sum',
  'reduce-max',
  'reduce-min',
  'average-pool',
  'max-pool',
  'resize-bilinear',
  'resize-nearest',
  'reshape',
  'squeeze',
  'expand-dims',
  'transpose',
  'slice',
  'strided-slice',
  'split',
  'unpack',
  'pad',
  'pad-value',
  'mirror-pad',
  'tile',
  'reverse',
  'concatenation',
  'pack',
  'arg-max',
  'quantize',
]

/** What the U85 takes besides. */
const U85_TOO: readonly OperatorKind[] = [
  'div',
  'gather',
  'scatter-nd',
  'select',
  'equal',
  'not-equal',
  'greater',
  'greater-equal',
  'less',
  'less-equal',
]

const U55_OPERATORS = takesOnly(U55, REPORT, ['NEG'])
const U85_OPERATORS = takesOnly([...U55, ...U85_TOO], REPORT, [
  'NEG',
  'CAST',
  'LOGICAL_AND',
  'LOGICAL_NOT',
  'LOGICAL_OR',
  'REDUCE_ALL',
  'REDUCE_ANY',
  'ASSIGN_VARIABLE',
  'READ_VARIABLE',
])

/** @param configuration series and multiply-accumulates a cycle, as Vela writes them */
function ethosU(configuration: string, operators: OperatorSupport): Target {
  const [, series, macs] = configuration.match(/^ethos-(u\d+)-(\d+)$/) ?? []
  return {
    ...TFLITE_FILES,
    accelerator: {
      title: `Arm Ethos-${series?.toUpperCase()}, ${macs} MACs`,
      reached: { by: 'delegate', name: 'ethos-u' },
      takes: {
        numbers: 'integers',
        edges: ['int8', 'uint8'],
        weights: 'per-channel',
        source: `${REPORT}: feature maps of integers; scales per axis in convolutions and fully-connected`,
      },
      operators,
      compiler: { name: 'vela', configuration, customOperator: 'ethos-u' },
    },
  }
}

export const ETHOS_U = {
  'ethos-u55-64': ethosU('ethos-u55-64', U55_OPERATORS),
  'ethos-u55-128': ethosU('ethos-u55-128', U55_OPERATORS),
  'ethos-u55-256': ethosU('ethos-u55-256', U55_OPERATORS),
  'ethos-u65-256': ethosU('ethos-u65-256', U55_OPERATORS),
  'ethos-u65-512': ethosU('ethos-u65-512', U55_OPERATORS),
  'ethos-u85-256': ethosU('ethos-u85-256', U85_OPERATORS),
  'ethos-u85-512': ethosU('ethos-u85-512', U85_OPERATORS),
} as const satisfies Record<string, Target>
