import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../../../shared/digest.ts'
import { AppError, messageOf } from '../../../shared/errors.ts'
import type { Finding } from '../../../shared/findings.ts'
import { isOneOf } from '../../../shared/open-words.ts'
import { MODEL_FORMAT_NAMES } from '../../../shared/runtime/index.ts'
import { compile, printReport } from '../../compilers/index.ts'
import { type Evaluation, health, type Model, type Variant, variants } from '../../storage/index.ts'
import { referenceTarget, type TargetName, targetOf } from '../../targets/index.ts'
import {
  type JobInput,
  type JobKind,
  type JobOutput,
  type LayerLoss,
  runJob,
} from '../../variants/index.ts'
import { commit } from '../context/commit.ts'
import type { ConductorContext } from '../context/context.ts'
import type { Job } from '../context/jobs.ts'
import { keyOf } from './keys.ts'
import { isForWantOfRoom, waitForRoom } from './out-of-room.ts'

/** A file that another is made of could not be built; the message is that build's own. */
class BuildError extends AppError {
  readonly code = 'not-built'
}

/** What a build needs of the conductor; a builder has no more. */
export type BuildContext = Pick<
  ConductorContext,
  | 'db'
  | 'artifacts'
  | 'jobs'
  | 'progress'
  | 'log'
  | 'failPoints'
  | 'fence'
  | 'now'
  | 'workDir'
  | 'stopping'
>

/** A job of either kind. Reports its own failures. */
export function performJob(context: BuildContext, { kind, model, variant }: Job): Promise<void> {
  return kind === 'build'
    ? buildVariant(context, model, variant)
    : evaluateVariant(context, model, variant)
}

/** Makes the file of a variant, or writes down why there is none. */
export async function buildVariant(
  context: BuildContext,
  model: Model,
  key: string,
): Promise<void> {
  const variant = await variants.findVariant(context.db, key)
  if (!variant || variant.state === 'built') return
  await commit(context, 'variant.building', (trx) => variants.setVariantState(trx, key, 'building'))
  const started = performance.now()
  try {
    const { answered, ...built } = await make(context, model, variant)
    const facts = { ...built, buildMs: performance.now() - started }
    await commit(context, 'variant.built', (trx) =>
      variants.recordBuilt(trx, key, facts, context.now()),
    )
    if (answered) await recordEvaluation(context, model, answered)
  } catch (error) {
    if (context.stopping.aborted) return
    if (isForWantOfRoom(error)) return await waitForRoom(context, model, key, error)
    context.log.warn(
      { scheme: variant.scheme, reason: messageOf(error) },
      'a variant was not built',
    )
    await recordFailure(context, key, messageOf(error))
  }
}

/** Lets a built variant answer the model's test data on this host. */
export async function evaluateVariant(
  context: BuildContext,
  model: Model,
  key: string,
): Promise<void> {
  const variant = await variants.findVariant(context.db, key)
  const { reference } = model
  if (!variant?.digest) return
  const known = answeredWhenAdded(variant, model) ?? (await answeredAlike(context, model, variant))
  if (known !== undefined) return await recordEvaluation(context, model, known)
  const { scheme } = variant
  const { artifacts } = context
  try {
    const { digest, runtime } = await answering(context, model, variant, variant.digest)
    const { whole, slice } = reference
    const { calibration } = model
    const evaluation = await artifacts.withFiles([digest, whole, slice, calibration], (pathOf) =>
      withJob(context, model, 'evaluate', scheme, {
        input: {
          variant: pathOf(digest),
          runtime,
          whole: pathOf(whole),
          slice: pathOf(slice),
          calibration: calibration && pathOf(calibration),
        },
        keep: (answered) => kept(context, key, answered),
      }),
    )
    await recordEvaluation(context, model, evaluation)
  } catch (error) {
    if (context.stopping.aborted) return
    // Built it is; that it answers is asked again at the next look.
    if (isForWantOfRoom(error))
      return context.log.error({ reason: messageOf(error) }, 'answered later')
    await recordFailure(context, key, `does not run on this host: ${messageOf(error)}`)
  }
}

/** The source in the runtime that it was read with has answered already, when the model was added. */
function answeredWhenAdded(variant: Variant, model: Model): Evaluated | undefined {
  const { format } = model.facts
  const { selfTest, sketch, wholeQuality, sliceQuality } = model.reference
  if (!selfTest || !sketch || !isAsGiven(variant, model)) return undefined
  if (!isOneOf(MODEL_FORMAT_NAMES, format)) return undefined
  if (targetOf(variant.runtime).runsHereIn !== referenceTarget(format)) return undefined
  return { variant: variant.key, whole: wholeQuality, slice: sliceQuality, selfTest, sketch }
}

/** On this host the target whose files these are answers for it: what that one answered is what this one would. */
async function answeredAlike(
  { db }: BuildContext,
  model: Model,
  { key: variant, scheme, runtime, tuning }: Variant,
): Promise<Evaluated | undefined> {
  const { filesOf, runsHereIn } = targetOf(runtime)
  if (filesOf === undefined || targetOf(filesOf).runsHereIn !== runsHereIn) return undefined
  const key = keyOf(model, { scheme, runtime: filesOf, ...(tuning && { tuning }) })
  const { whole } = model.reference
  const known = await variants.findEvaluation(db, key, whole)
  const sketch = await health.sketchOf(db, key, whole)
  return known && sketch ? { ...known, variant, sketch } : undefined
}

/** The files of an evaluation, in the store. */
async function kept(
  { artifacts }: BuildContext,
  variant: string,
  { whole, slice, selfTest, sketch }: JobOutput<'evaluate'>,
): Promise<Evaluated> {
  const { digest } = await artifacts.putFile(selfTest)
  const { digest: sketchDigest } = await artifacts.putFile(sketch)
  return { variant, whole, slice, selfTest: digest, sketch: sketchDigest }
}

/** What a variant answers, and what observations of it are counted by. */
type Evaluated = Evaluation & { readonly sketch: Digest }

function recordEvaluation(
  context: BuildContext,
  { reference }: Model,
  { sketch, ...evaluation }: Evaluated,
): Promise<void> {
  return commit(context, 'variant.evaluated', async (trx) => {
    await variants.recordEvaluation(trx, reference.whole, evaluation, context.now())
    const { variant } = evaluation
    await health.putSketch(trx, { variant, reference: reference.whole, sketch })
  })
}

/** A file as it is recorded. */
interface Made {
  readonly digest: Digest
  readonly findings: readonly Finding[]
  readonly losses: readonly LayerLoss[]
  /** What became of the model's operators, by whoever made the file. */
  readonly operators: unknown
  /** What it answered while it was made. */
  readonly answered?: Evaluated
}

async function make(context: BuildContext, model: Model, variant: Variant): Promise<Made> {
  if (isAsGiven(variant, model)) return asGiven(variant)
  const { filesOf, accelerator } = targetOf(variant.runtime)
  if (filesOf === undefined) return await quantized(context, model, variant)
  const shared = await builtFor(context, model, variant, filesOf)
  if (!accelerator?.compiler) return { ...shared, operators: null }
  return await compiled(context, variant, shared)
}

/**
 * The file of the same scheme for the target whose files these are: a variant of its own, built once for all that
 * share it. @throws BuildError where it could not be built
 */
async function builtFor(
  context: BuildContext,
  model: Model,
  { source, scheme, tuning }: Variant,
  runtime: TargetName,
): Promise<Pick<Made, 'digest' | 'findings' | 'losses'>> {
  const key = keyOf(model, { scheme, runtime, ...(tuning && { tuning }) })
  await commit(context, 'candidates.planned', (trx) =>
    variants.ensureVariant(trx, { key, source, scheme, runtime, tuning }),
  )
  await context.jobs.part({ kind: 'build', model, variant: key })
  const built = await variants.findVariant(context.db, key)
  if (!built?.digest) throw new BuildError(built?.error ?? `the file for ${runtime} was not built`)
  return { digest: built.digest, findings: built.findings, losses: built.losses }
}

/** What is left of the model when the vendor's compiler has made its file. @throws CompilerError */
async function compiled(
  { artifacts, stopping }: BuildContext,
  { runtime }: Variant,
  { digest, findings, losses }: Pick<Made, 'digest' | 'findings' | 'losses'>,
): Promise<Made> {
  const model = await artifacts.read(digest)
  const { bytes, report } = await compile({ model, target: runtime, signal: stopping })
  const finding: Finding = {
    code: 'compiled',
    severity: report.operators.cpu === 0 ? 'info' : 'warning',
    message: printReport(report),
  }
  const stored = await artifacts.put(bytes)
  return { digest: stored.digest, findings: [...findings, finding], losses, operators: report }
}

/** No runtime here loads a compiled file: what it was compiled from answers in its place. */
async function answering(
  context: BuildContext,
  model: Model,
  variant: Variant,
  digest: Digest,
): Promise<{ readonly digest: Digest; readonly runtime: TargetName }> {
  const { filesOf, accelerator } = targetOf(variant.runtime)
  if (!accelerator?.compiler || filesOf === undefined) return { digest, runtime: variant.runtime }
  const shared = await builtFor(context, model, variant, filesOf)
  return { digest: shared.digest, runtime: filesOf }
}

/** In the runtime of another format, float32 is a file to be made too. */
function isAsGiven({ scheme, runtime }: Variant, { facts }: Model): boolean {
  return scheme === 'float32' && targetOf(runtime).format === facts.format
}

export function recordFailure(context: BuildContext, key: string, reason: string): Promise<void> {
  return commit(context, 'variant.failed', (trx) => variants.recordBuildFailure(trx, key, reason))
}

function asGiven(variant: Variant) {
  return { digest: variant.source, findings: [], losses: [], operators: null }
}

async function quantized(context: BuildContext, model: Model, variant: Variant): Promise<Made> {
  const { artifacts } = context
  const { tuning, source } = variant
  const { calibration } = model
  const { whole, slice } = model.reference
  return artifacts.withFiles([source, calibration, whole, slice], (pathOf) =>
    withJob(context, model, 'build', variant.scheme, {
      input: {
        source: pathOf(source),
        calibration: calibration && pathOf(calibration),
        scheme: variant.scheme,
        runtime: variant.runtime,
        ...(tuning && { tuned: { tuning, test: pathOf(whole) } }),
        data: { whole: pathOf(whole), slice: pathOf(slice) },
      },
      keep: async ({ file, findings, operators, losses, answered }) => {
        const { digest } = await artifacts.putFile(file)
        const evaluated = answered && (await kept(context, variant.key, answered))
        return { digest, findings, losses, operators, ...(evaluated && { answered: evaluated }) }
      },
    }),
  )
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
  context: BuildContext,
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
