import { quantize } from '../../../../planner/variants/quantizer.ts'
import { parseScheme } from '../../../../shared/schemes.ts'
import { contestOf } from '../contest.ts'
import { recordOf } from '../figures.ts'
import { autoencoderData, unevenAutoencoder } from '../models/uneven-autoencoder.ts'
import type { QualitySubject } from '../subject.ts'

const GAIN_DB = 8

/** Fully-connected layers with uneven channels: one scale for all of a layer's weights loses the small ones. */
export const autoencoder: QualitySubject = {
  name: 'autoencoder',
  run: async () => {
    const { bytes: float, unevenness } = unevenAutoencoder()
    const calibration = autoencoderData(300, 1)
    const test = autoencoderData(500, 2)
    const perTensor = await quantize({
      model: float,
      target: 'litert',
      scheme: parseScheme('static-w8a8'),
      calibration,
      options: { perChannelFullyConnected: false, recovery: [], ranges: 'min-max' },
    })
    const { sqnrDb } = await recordOf({ format: 'tflite', float, test }, perTensor.bytes)
    const contest = await contestOf({
      title:
        `an autoencoder of 10 fully-connected layers whose channels differ ${unevenness.toFixed(0)}× in range: ` +
        `${calibration.samples} calibration samples, ${test.samples} unseen ones`,
      model: 'autoencoder',
      float,
      calibration,
      test,
      scheme: 'static-w8a8',
      goals: { sqnrDb: (sqnrDb ?? 0) + GAIN_DB },
      classifies: false,
      others: [{ who: "a scale per tensor, as TFLite's converter", bytes: perTensor.bytes }],
    })
    return [contest]
  },
}
