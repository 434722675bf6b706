import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../../shared/errors.ts'
import { type Model, type Variant, variants } from '../../storage/index.ts'
import { targetOf } from '../../targets/index.ts'
import { type JobInput, type JobKind, type JobOutput, runJob } from '../../variants/index.ts'
import { commit } from '../context/commit.ts'
import type { ConductorContext } from '../context/context.ts'

/** Makes the file of a variant, or writes down why there is none. */
export async function buildVariant(
  context: ConductorContext,
  model: Model,
  key: string,
): Promise<void> {
  const variant = await variants.findVariant(context.db, key)
  if (!variant || variant.state === 'built') return
  await commit(context, 'variant.building', (trx) => variants.setVariantState(trx, key, 'building'))
  const started = performance.now()
  try {
    const built = isAsGiven(variant, model)
      ? asGiven(variant)
      : await quantized(context, model, variant)
    const buildMs = performance.now() - started
    const facts = { ...(await built), buildMs }
    await commit(context, 'variant.built', (trx) =>
      variants.recordBuilt(trx, key, facts, context.now()),
    )
  } catch (error) {
    if (context.stopping.aborted) return
    context.log.warn(
      { scheme: variant.scheme, reason: messageOf(error) },
      'a variant was not built',
    )
    await recordFailure(context, key, messageOf(error))
  }
}

/** Lets a built variant answer the model's test data on this host. */
export async function evaluateVariant(
  context: ConductorContext,
  model: Model,
  key: string,
): Promise<void> {
  const variant = await variants.findVariant(context.db, key)
  const { reference } = model
  if (!variant?.digest) return
  const { digest, scheme, runtime } = variant
  const { artifacts } = context
  try {
    const evaluation = await withJob(context, model, 'evaluate', scheme, {
      input: {
        variant: await artifacts.pathOf(digest),
        runtime,
        whole: await artifacts.pathOf(reference.whole),
        slice: await artifacts.pathOf(reference.slice),
      },
      keep: async ({ whole, slice, selfTest }) => {
        const { digest: selfTestDigest } = await artifacts.putFile(selfTest)
        return { variant: key, whole, slice, selfTest: selfTestDigest }
      },
    })
    await commit(context, 'variant.evaluated', (trx) =>
      variants.recordEvaluation(trx, reference.whole, evaluation, context.now()),
    )
  } catch (error) {
    if (context.stopping.aborted) return
    await recordFailure(context, key, `does not run on this host: ${messageOf(error)}`)
  }
}

/** In the runtime of another format, float32 is a file to be made too. */
function isAsGiven({ scheme, runtime }: Variant, { facts }: Model): boolean {
  return scheme === 'float32' && targetOf(runtime).format === facts.format
}

function recordFailure(context: ConductorContext, key: string, reason: string): Promise<void> {
  return commit(context, 'variant.failed', (trx) => variants.recordBuildFailure(trx, key, reason))
}

function asGiven(variant: Variant) {
  return { digest: variant.source, findings: [], operators: null }
}

async function quantized(context: ConductorContext, model: Model, variant: Variant) {
  const { artifacts } = context
  const { tuning } = variant
  return withJob(context, model, 'build', variant.scheme, {
    input: {
      source: await artifacts.pathOf(variant.source),
      calibration: model.calibration && (await artifacts.pathOf(model.calibration)),
      scheme: variant.scheme,
      runtime: variant.runtime,
      ...(tuning && {
        tuned: { tuning, test: await artifacts.pathOf(model.reference.whole) },
      }),
    },
    keep: async ({ file, findings, operators }) => {
      const { digest } = await artifacts.putFile(file)
      return { digest, findings, operators }
    },
  })
}

interface Work<K extends JobKind, T> {
  readonly input: Omit<JobInput<K>, 'out'>
  /** Takes what is worth keeping out of the job's folder before it goes. */
  readonly keep: (output: JobOutput<K>) => Promise<T>
  /** Aborted when nobody wants the result any more. */
  readonly signal?: AbortSignal
}

/** One job in a folder of its own, with its progress told to whoever watches the model. */
export async function withJob<K extends JobKind, T>(
  context: ConductorContext,
  model: Pick<Model, 'name'>,
  kind: K,
  about: string,
  { input, keep, signal }: Work<K, T>,
): Promise<T> {
  await mkdir(context.workDir, { recursive: true })
  const out = await mkdtemp(join(context.workDir, `${kind}-`))
  try {
    const output = await runJob(kind, { ...input, out } as JobInput<K>, {
      signal: signal ? AbortSignal.any([signal, context.stopping]) : context.stopping,
      onProgress: (done, total, what) =>
        context.progress.emit({ model: model.name, what: `${about}: ${what}`, done, total }),
    })
    return await keep(output)
  } finally {
    await rm(out, { recursive: true, force: true })
  }
}
