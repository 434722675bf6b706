import { isDeepStrictEqual } from 'node:util'
import { classesMeant, commit } from '../../conductor/index.ts'
import { requireMatches, type Selector } from '../../groups/index.ts'
import { definedOf } from '../../probing/index.ts'
import {
  audit,
  devices as deviceRows,
  type Model,
  models,
  pipelines,
  probePolicyOf,
  setNoiseAccepted,
  setProbePolicy,
  subjectsInService,
  variants,
} from '../../storage/index.ts'
import { type Call, modelNamed } from '../call/call.ts'
import { waitUntil } from '../call/wait.ts'
import type { OperationInput, OperationOutput } from '../contract/contract.ts'
import { ApiError } from '../contract/errors.ts'
import type { ClassPlan } from '../contract/views.ts'
import { classPlans, dryPlans } from './read-plan.ts'

/** Stages in which a class needs nothing more from planning. */
const SETTLED: ReadonlySet<string> = new Set(['selected', 'no-fit', 'rolling', 'done'])

/** Candidates, builds, probes and selection for every class there is; returns when all are settled or stuck. */
export async function plan(
  {
    model: name,
    class: only,
    where,
    dryRun,
    again,
    acceptNoise = false,
    probing = {},
  }: OperationInput<'plan'>,
  call: Call,
): Promise<OperationOutput<'plan'>> {
  const { context } = call
  const model = await modelNamed(context, name)
  const classes = await classesFor(call, only, where)
  const shown = (plans: readonly ClassPlan[]) => plans.filter((row) => classes.includes(row.class))
  const { revision } = model
  if (dryRun) return { model: name, revision, classes: shown(await dryPlans(context, model, only)) }
  await ask(call, model, { again, acceptNoise, probing })
  await waitUntil(call, name, async () => {
    const plans = await classPlans(context, model, only)
    return classes.every((id) => plans.some((row) => row.class === id && isSettled(row)))
  })
  return { model: name, revision, classes: shown(await classPlans(context, model, only)) }
}

export function isSettled({ stage, stuck }: Pick<ClassPlan, 'stage' | 'stuck'>): boolean {
  return stuck || SETTLED.has(stage)
}

/** @throws ApiError where no device, or none of the class asked for, ever joined */
export async function classesFor(
  { context }: Call,
  only: string | undefined,
  where?: Selector,
): Promise<string[]> {
  const all = await deviceRows.classesInUse(context.db)
  if (all.length === 0) {
    throw new ApiError(
      'nothing-to-do',
      'no device has joined yet: start fitment-agent run on one, then plan',
    )
  }
  if (where !== undefined) {
    const { db } = context
    requireMatches(where, await subjectsInService(db))
  }
  const meant = await classesMeant(context.db, where)
  if (only === undefined) return [...meant]
  if (meant.includes(only)) return [only]
  if (all.includes(only)) {
    throw new ApiError('nothing-to-do', `no device of class ${only} is one that is meant`)
  }
  throw new ApiError(
    'unknown-class',
    `no device is of class "${only}"; there are: ${all.join(', ')}`,
  )
}

interface Wish {
  readonly again: boolean
  readonly acceptNoise: boolean
  readonly probing: NonNullable<OperationInput<'plan'>['probing']>
}

async function ask(
  { context, conductor, actor }: Call,
  model: Model,
  { again: asked, acceptNoise, probing }: Wish,
): Promise<void> {
  await commit(context, 'plan.asked', async (trx) => {
    if (model.intent === 'registered') await models.setIntent(trx, model.id, 'plan')
    const before = await probePolicyOf(trx, model.id)
    const policy = { ...before, ...definedOf(probing) }
    // Measurements of different kinds are never compared.
    const isChanged = !isDeepStrictEqual(policy, before)
    if (isChanged) await setProbePolicy(trx, model.id, policy)
    const again = asked || isChanged
    if (again) {
      await pipelines.startRound(trx, model.id, context.now())
      await variants.retryFailed(trx, model.source)
    }
    // Measured anew, it is the operator's to accept anew.
    if (again || acceptNoise) await setNoiseAccepted(trx, model.id, acceptNoise, context.now())
    const entry = {
      actor,
      action: 'plan',
      subject: model.name,
      detail: { revision: model.revision, again, acceptNoise, probing },
    }
    await audit.writeAudit(trx, entry, context.now())
  })
  conductor.poke()
}
