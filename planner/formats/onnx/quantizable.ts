import type { Finding } from '../../../shared/findings.ts'
import type { TensorInfo } from '../../../shared/runtime/index.ts'
import { ARRAY_OF, type ElementType } from '../../../shared/tensors.ts'
import type {
  Entry,
  Graph,
  Plan,
  Preparation,
  QuantizableFormat,
  SourceTreatment,
} from '../../graph/index.ts'
import { audit } from './audit.ts'
import { checkOnnx } from './check.ts'
import { readOnnx, writeOnnx } from './codec.ts'
import { OnnxError } from './errors.ts'
import { hasExternalData } from './external-data.ts'
import { instrument, summarise } from './instrument.ts'
import type { OnnxModel } from './model.ts'
import { prepareModel } from './prepare/prepare.ts'
import { halvesIn, usesHalves } from './prepare/widen-halves.ts'
import { operatorTimes } from './times.ts'
import { perform } from './transform/perform.ts'
import { viewOf } from './view.ts'

/** .onnx for the quantizer: checks, preparation, view, instrumented copies, transform, audit. */
export const quantizableOnnx: QuantizableFormat = {
  async open(bytes: Uint8Array, { sources, forIntegers, ...how }: Preparation) {
    const model = sound(readOnnx(bytes))
    const { widenHalves = sources === 'dequantize' } = how
    const quantized = quantizedAlready(model, sources)
    const findings = [...quantized, ...storedAsHalves(model, sources, widenHalves)]
    const expandStored = sources === 'dequantize' && quantized.length === 0
    const { types } = await prepareModel(model, { forIntegers, expandStored, widenHalves })
    const view = viewOf(model, types)
    return {
      graph: view.graph,
      findings,
      entries: [entryOf(view.graph)],
      instrument: (_, asked) => instrument(model, view, asked),
      summarise: (planFor, seen) => summarise(model, view, planFor, seen),
      perform: (plan: Plan) => writeOnnx(perform(model, view, plan)),
      audit: (plan) => audit(plan, view.graph),
      times: (bytes, inputs, ms) => operatorTimes(bytes, view.graph, inputs, ms),
    }
  },
}

/** Names that lead nowhere, and constants kept elsewhere, would surface as nonsense later. */
function sound(model: OnnxModel): OnnxModel {
  if (hasExternalData(model)) {
    throw new OnnxError(
      'external-data-missing',
      'the model keeps constants in another file: load them into it first (loadExternalData)',
    )
  }
  const problem = checkOnnx(model).find(({ severity }) => severity === 'error')
  if (problem !== undefined) throw new OnnxError('corrupt', problem.message)
  return model
}

const QUANTIZED = /^(QuantizeLinear|DynamicQuantizeLinear|QLinear|MatMulInteger|ConvInteger)/

function quantizedAlready({ graph }: OnnxModel, treatment: SourceTreatment): Finding[] {
  const found = graph?.node.filter(({ opType }) => QUANTIZED.test(opType)) ?? []
  if (found.length === 0) return []
  return [
    {
      code: 'source-already-quantized',
      severity: 'warning',
      message: `the model computes on integers already in ${found.length} operators${treatment === 'refuse' ? '' : ': they stay as they are'}; give the float model it was made from`,
    },
  ]
}

function storedAsHalves(model: OnnxModel, treatment: SourceTreatment, widened: boolean): Finding[] {
  if (!usesHalves(model)) return []
  const count = halvesIn(model).length
  const done =
    treatment === 'refuse'
      ? 'what was lost stays lost'
      : widened
        ? 'its inside is turned back into float32, and what was lost stays lost'
        : 'it stays as it is, and computes in float16'
  return [
    {
      code: 'source-half-precision',
      severity: 'info',
      message: `the source is a float16 model (${count} of its constants are); ${done}: prefer the true float model`,
    },
  ]
}

function entryOf(graph: Graph): Entry {
  const [main] = graph.subgraphs
  const tensors = main?.inputs ?? []
  const inputs = tensors.map((id): TensorInfo => {
    const { name = '', type = '', shape = null } = graph.tensors[id] ?? {}
    if (!(type in ARRAY_OF)) {
      throw new OnnxError(
        'not-loadable',
        `input "${name}" takes ${type}, which no data file can hold: use a model with numeric inputs`,
        { name, type },
      )
    }
    return { name, type: type as ElementType, shape: shape ?? [] }
  })
  return { subgraph: 0, inputs, tensors }
}
