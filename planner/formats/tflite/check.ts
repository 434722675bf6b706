import type { Finding } from '../../../shared/findings.ts'
import type { Breach } from './breaches.ts'
import { LAWS, type Law } from './laws.ts'
import type { TflModel } from './model.ts'

/** Enough to show the pattern; a damaged file may break a law at every tensor. */
const MOST_BREACHES_PER_LAW = 10

/** Breaches of the model's laws; `error` where no runtime would load it. `where` is a place in the tree. */
export function checkTflite(model: TflModel): Finding[] {
  return breachesOf(model).map(({ law, where, problem }) => ({
    code: `tflite-${law.code}`,
    severity: law.severity,
    message: `${where} ${problem}`,
    where,
  }))
}

export function breachesOf(model: TflModel): (Breach & { law: Law })[] {
  return LAWS.flatMap((law) => {
    const breaches: (Breach & { law: Law })[] = []
    for (const breach of law.breaches(model)) {
      breaches.push({ ...breach, law })
      if (breaches.length === MOST_BREACHES_PER_LAW) break
    }
    return breaches
  })
}
