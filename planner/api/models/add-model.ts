import { LabelsError, parseClassLabels } from '../../../shared/class-labels.ts'
import type { Digest } from '../../../shared/digest.ts'
import { UsageError } from '../../../shared/errors.ts'
import type { Finding } from '../../../shared/findings.ts'
import { builtInMetric } from '../../../shared/metrics/index.ts'
import { isPackageName } from '../../../shared/trust/index.ts'
import { commit, withJob } from '../../conductor/index.ts'
import { definedOf, NO_POLICY } from '../../probing/index.ts'
import { audit, models, putLabels, revisions, setProbePolicy } from '../../storage/index.ts'
import { JobError, type JobOutput, type ModelFacts } from '../../variants/index.ts'
import type { Call } from '../call/call.ts'
import type { OperationInput, OperationOutput } from '../contract/contract.ts'
import { modelView } from './read-views.ts'
import { admit } from './registration-gates.ts'

/**
 * Reads the model and its data, lets the float model answer the test set, and registers a revision.
 * Nothing is registered unless all of it can be used. @throws JobError naming the user's file
 */
export async function addModel(
  input: OperationInput<'models.add'>,
  call: Call,
): Promise<OperationOutput<'models.add'>> {
  const { artifacts } = call.context
  const { name, source, calibration, test } = input
  if (isPackageName(name)) {
    throw new UsageError(`${name} is a name of runtimes: call the model otherwise than runtime.…`)
  }
  // Before anything long begins.
  const { metric } = input.constraints
  if (metric != null) builtInMetric(metric)
  const digests = [source, calibration, test].map((file) => file?.digest)
  return await artifacts.withFiles(digests, (pathOf) => register(input, call, pathOf))
}

async function register(
  input: OperationInput<'models.add'>,
  { context, conductor, actor, progress, signal }: Call,
  pathOf: (digest: Digest) => string,
): Promise<OperationOutput<'models.add'>> {
  const { artifacts, db } = context
  const { name, source, calibration, test, labels } = input
  const { metric } = input.constraints
  const paths = {
    source: pathOf(source.digest),
    calibration: calibration && pathOf(calibration.digest),
    test: test && pathOf(test.digest),
  }
  const classes = labels ? classLabels(await artifacts.read(labels.digest), labels.name) : null
  const stop = context.progress.listen((event) => {
    if (event.model === name) progress(event)
  })
  try {
    const prepared = await withJob(context, { name }, 'prepare', name, {
      input: { ...paths, ...(metric != null && { metric }) },
      signal,
      keep: (output) => storedFiles(artifacts, output),
    })
    const { files, wholeQuality, sliceQuality, findings: found, ...rest } = prepared
    const { findings, forced } = admit(input, prepared, await models.drivenModel(db, name))
    const model = await commit(context, 'model.added', async (trx) => {
      const added = await models.addModel(
        trx,
        {
          name,
          source: source.digest,
          calibration: calibration?.digest ?? null,
          test: test?.digest ?? null,
          objective: input.objective,
          constraints: input.constraints,
          ...rest,
          findings: [...found, ...findings, ...findingsOnLabels(classes, rest.facts)],
          reference: { ...files, wholeQuality, sliceQuality },
        },
        context.now(),
      )
      if (input.probing)
        await setProbePolicy(trx, added.id, { ...NO_POLICY, ...definedOf(input.probing) })
      if (labels) await putLabels(trx, added.id, labels.digest)
      if (input.note != null) await revisions.putNote(trx, added.id, input.note)
      for (const tag of input.tags ?? []) await revisions.putTag(trx, name, tag, added.id)
      const detail = {
        revision: added.revision,
        source: source.digest,
        file: source.name,
        ...(forced && { forced }),
      }
      await audit.writeAudit(
        trx,
        { actor, action: 'models.add', subject: name, detail },
        context.now(),
      )
      return added
    })
    conductor.poke()
    return modelView(db, model)
  } catch (error) {
    throw inUsersWords(error, input, paths)
  } finally {
    stop()
  }
}

/** What the job made, with its files in the store. */
async function storedFiles(
  artifacts: Call['context']['artifacts'],
  { whole, slice, selfTest, sketch, ...facts }: JobOutput<'prepare'>,
) {
  const put = async (path: string) => (await artifacts.putFile(path)).digest
  const files = {
    whole: await put(whole),
    slice: await put(slice),
    selfTest: await put(selfTest),
    sketch: await put(sketch),
  }
  return { ...facts, files }
}

function classLabels(bytes: Buffer, name: string): readonly string[] {
  try {
    return parseClassLabels(bytes.toString())
  } catch (error) {
    throw error instanceof LabelsError ? new UsageError(`${name}: ${error.message}`) : error
  }
}

/** More names than an output has places, or fewer, are most likely another model's. */
function findingsOnLabels(labels: readonly string[] | null, { outputs }: ModelFacts): Finding[] {
  if (!labels || outputs.some(({ shape }) => shape.includes(labels.length))) return []
  const shapes = outputs.map(({ name, shape }) => `${name} ${shape.join('×')}`).join(', ')
  const message = `${labels.length} labels, but no output has as many places (${shapes}): applications will name classes wrongly`
  return [{ code: 'labels-do-not-fit', severity: 'warning', message }]
}

/** Errors of the job name the files in the store; the user knows them by other names. */
function inUsersWords(
  error: unknown,
  input: OperationInput<'models.add'>,
  paths: Readonly<Record<'source' | 'calibration' | 'test', string | null>>,
): unknown {
  if (!(error instanceof JobError)) return error
  let { message } = error
  for (const part of ['source', 'calibration', 'test'] as const) {
    const path = paths[part]
    const name = input[part]?.name
    if (path && name) message = message.replaceAll(path, name)
  }
  return new JobError(error.code, message, error.details)
}
