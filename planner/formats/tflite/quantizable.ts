import type { Plan } from '../../quantizer/plan/instructions.ts'
import type { Entry, Instrumented, QuantizableFormat, SourceTreatment } from '../quantizable.ts'
import { readTflite } from './codec/read.ts'
import { writeTflite } from './codec/write.ts'
import { prepareSource } from './dequantize-source.ts'
import { entriesOf } from './entries.ts'
import { instrument } from './instrument.ts'
import { numberingOf } from './numbering.ts'
import { perform } from './perform/perform.ts'
import { viewOf } from './view.ts'

/** .tflite for the quantizer: view, instrumented copies, performer. */
export const quantizableTflite: QuantizableFormat = {
  open(bytes: Uint8Array, treatment: SourceTreatment) {
    const { model, findings } = prepareSource(readTflite(bytes), treatment)
    const graph = viewOf(model)
    return {
      graph,
      findings,
      entries: entriesOf(model, graph, numberingOf(model)),
      instrument: (entry: Entry): Instrumented => instrument(model, graph, entry.subgraph),
      perform: (plan: Plan) => writeTflite(perform(model, plan)),
    }
  },
}
