import type { Dataset } from '../../../shared/dataset/index.ts'
import { evaluateMetric, type MetricScore } from '../../../shared/measure/index.ts'
import type { Metric } from '../../../shared/metrics/index.ts'
import { loadRuntime } from '../../../shared/runtime/index.ts'
import { referenceTarget } from '../../targets/index.ts'
import type { ComparedFile } from '../opened-model.ts'

/**
 * What a quantized model and the float one reach by a metric. Both run once more, as they are: a metric may name outputs,
 * and copies that give out activations have other names for them.
 * @throws MetricError, DatasetError, RuntimeError
 */
export async function scoreOf(
  metric: Metric,
  float: ComparedFile,
  quantized: ComparedFile,
  dataset: Dataset,
  onSample: (done: number, total: number) => void,
): Promise<MetricScore> {
  const runtime = await loadRuntime(referenceTarget(quantized.format))
  const reference = await runtime.load(float.bytes)
  try {
    const session = await runtime.load(quantized.bytes)
    try {
      return await evaluateMetric(session, dataset, metric, { reference, onProgress: onSample })
    } finally {
      await session.close()
    }
  } finally {
    await reference.close()
  }
}
