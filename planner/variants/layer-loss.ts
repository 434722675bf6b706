import { z } from 'zod'
import { openWord } from '../../shared/open-words.ts'

/** What the codes of one layer lose by themselves, as the quantizer found when it made the file. */
export const layerLossSchema = z.object({
  layer: z.string(),
  /** As the model's format calls it; `input` for what the caller feeds. */
  operator: z.string(),
  of: openWord(['output', 'weights']),
  /** How it is stored: `int8`. */
  type: z.string(),
  /** Signal to quantization noise, dB. */
  sqnrDb: z.number(),
})
export type LayerLoss = z.infer<typeof layerLossSchema>
