import type {
  CodeForms,
  Computation,
  Entry,
  GraphOperator,
  Instrumented,
  Plan,
  Preparation,
  QuantizableFormat,
  TensorId,
} from '../../graph/index.ts'
import { checkTflite } from './check.ts'
import { readTflite } from './codec/read.ts'
import { writeTflite } from './codec/write.ts'
import { entriesOf } from './entries.ts'
import { TfliteError } from './errors.ts'
import { instrument } from './instrument.ts'
import { newerForm, unloadable } from './loadable.ts'
import type { TflModel } from './model.ts'
import { numberingOf } from './numbering.ts'
import { prepare } from './prepare/prepare.ts'
import { perform } from './transform/perform.ts'
import { viewOf } from './view.ts'

/** .tflite for the quantizer: checks, view, instrumented copies, transform. */
export const quantizableTflite: QuantizableFormat = {
  open(bytes: Uint8Array, preparation: Preparation) {
    const { fileName = 'model' } = preparation
    const source = sound(readTflite(bytes, fileName), fileName)
    const { model, findings } = prepare(source, preparation)
    const graph = viewOf(model)
    return {
      graph,
      findings,
      entries: entriesOf(model, graph, numberingOf(model)),
      instrument: (entry: Entry, asked?: readonly TensorId[]): Instrumented =>
        instrument(model, graph, entry.subgraph, asked),
      perform: (plan: Plan) => writeTflite(perform(model, plan)),
      newerForm: (operator: GraphOperator, as: Computation, target: CodeForms, release: string) =>
        newerForm(model, operator, as, target, release),
      unloadable: (written: Uint8Array, release: string) => {
        const result = readTflite(written, fileName)
        return unloadable(result, viewOf(result), release)
      },
    }
  },
}

/** Indices that lead nowhere would surface as nonsense later. */
function sound(model: TflModel, file: string): TflModel {
  const violation = checkTflite(model).find((finding) => finding.severity === 'error')
  if (violation === undefined) return model
  throw new TfliteError('corrupt', { file, place: '' }, violation.message)
}
