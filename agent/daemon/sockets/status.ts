import { z } from 'zod'
import { digestSchema } from '../../../shared/digest-schema.ts'
import { refusalSchema } from '../../../shared/messages/index.ts'
import { isOneOf, openWord } from '../../../shared/open-words.ts'
import type { Slots } from '../../artifacts/index.ts'
import { ModelLocks } from '../../client/index.ts'
import { isPackage } from '../../trust/index.ts'
import type { JournalView } from '../journal/journal.ts'
import { INSTALL_STEPS, INSTALLING } from '../transitions/install-table.ts'
import { PROBING } from '../transitions/probe-table.ts'
import { isTerminal } from '../transitions/transitions.ts'

/** What `fitment-agent status --json` prints and the socket answers. */
export const statusSchema = z.object({
  v: z.literal(1),
  running: z.boolean(),
  /** `null` where no agent runs: only a running one knows. */
  session: z
    .object({
      pid: z.number().int(),
      version: z.string(),
      fleet: z.string(),
      device: z.string(),
      broker: z.string(),
      connected: z.boolean(),
      /** Messages from the broker that were dropped, by reason. */
      dropped: z.record(z.string(), z.number()),
    })
    .nullable(),
  models: z.array(
    z.object({
      model: z.string(),
      current: digestSchema.nullable(),
      /** Of the model, that the current variant was built of; null where nobody said it. */
      revision: z.number().int().nullable().default(null),
      previous: digestSchema.nullable(),
      /** Path of the current variant's file. */
      file: z.string().nullable(),
      /** Applications that keep it as it is, the oldest lock first. */
      locks: z
        .array(z.object({ name: z.string(), reason: z.string().nullable(), ageMs: z.number() }))
        .default([]),
      /** The last installation. */
      installation: z
        .object({
          order: z.string(),
          variant: digestSchema,
          scheme: z.string(),
          step: openWord(INSTALL_STEPS),
          error: refusalSchema.nullable(),
        })
        .nullable(),
    }),
  ),
  probes: z.object({ open: z.number().int(), done: z.number().int() }),
  /** Reports that wait for the planner's receipt. */
  reportsWaiting: z.number().int(),
})
export type AgentStatus = z.infer<typeof statusSchema>

/** Where a status is read from. */
export interface Sources {
  readonly stateDir: string
  readonly journal: JournalView
  readonly slots: Slots
}

export async function readStatus(
  sources: Sources,
  session: AgentStatus['session'],
): Promise<AgentStatus> {
  const { journal, slots } = sources
  const names = new Set([...(await slots.models()), ...journal.keys('installation')])
  const models = await Promise.all([...names].sort().map((model) => modelStatus(model, sources)))
  const probes = journal.all('probe')
  const done = probes.filter(({ step }) => isTerminal(PROBING, step)).length
  return {
    v: 1,
    running: session !== null,
    session,
    models,
    probes: { open: probes.length - done, done },
    reportsWaiting: journal.keys('report').length,
  }
}

async function modelStatus(
  model: string,
  { journal, slots, stateDir }: Sources,
): Promise<AgentStatus['models'][number]> {
  const links = await slots.links(model)
  const job = journal.get('installation', model)
  const locks = new ModelLocks(stateDir, model)
  return {
    model,
    ...links,
    revision: links.current
      ? ((await slots.installedModel(model, links.current))?.revision ?? null)
      : null,
    file: links.current ? ((await slots.file(model, links.current)) ?? null) : null,
    locks: await locks.described(await locks.holders()),
    installation: job
      ? {
          order: job.order,
          variant: job.assignment.variant,
          scheme: isPackage(job.assignment) ? job.assignment.version : job.assignment.scheme,
          step: job.step,
          error: job.error,
        }
      : null,
  }
}

/** True while an installation of this status is under way. */
export function isBusy({ installation }: AgentStatus['models'][number]): boolean {
  const step = installation?.step
  return step !== undefined && isOneOf(INSTALL_STEPS, step) && !isTerminal(INSTALLING, step)
}
