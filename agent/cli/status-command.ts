import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { UsageError } from '../../shared/errors.ts'
import { formatDuration } from '../../shared/units.ts'
import { Slots } from '../artifacts/index.ts'
import { askAgent } from '../client/index.ts'
import {
  type AgentStatus,
  agentMetrics,
  readJournal,
  readStatus,
  statusSchema,
} from '../daemon/index.ts'

/** From the running agent; where none runs, from what it left on disk. @throws UsageError */
export async function statusOf(stateDir: string): Promise<AgentStatus> {
  if (!existsSync(stateDir)) {
    throw new UsageError(`there is no state directory ${stateDir}: give the agent's --state-dir`)
  }
  const answer = await askAgent(stateDir, 'status')
  if (answer !== undefined) return statusSchema.parse(answer)
  const journal = readJournal(join(stateDir, 'journal'))
  return readStatus({ stateDir, journal, slots: new Slots(join(stateDir, 'slots')) }, null)
}

const metricsSchema = z.object({ text: z.string() })

/** From the running agent, its memory and processor time included; else from what it left on disk. @throws UsageError */
export async function metricsOf(stateDir: string): Promise<string> {
  const answer = metricsSchema.safeParse(await askAgent(stateDir, 'metrics'))
  return answer.success ? answer.data.text : agentMetrics(await statusOf(stateDir))
}

/** Exit code 1 where a person should look: a model without a variant, or an installation that failed. */
export function needsAttention({ models }: AgentStatus): boolean {
  return models.some(({ current, installation }) => current === null || installation?.error)
}

export function describe(status: AgentStatus): string {
  const { session, models, probes, reportsWaiting } = status
  const head = session
    ? `agent ${session.version} runs as ${session.fleet}/${session.device}, ${session.connected ? 'connected to' : 'without'} ${session.broker}`
    : 'no agent runs on this state directory'
  const lines = models.map(({ model, current, revision, installation, locks }) => {
    const of = revision === null ? '' : ` of revision ${revision}`
    const runs = current ? `${current.slice(0, 12)}${of}` : 'nothing'
    const last = installation ? `, last installation: ${installation.step}` : ''
    const why = installation?.error ? ` (${installation.error.message})` : ''
    return `  ${model}: ${runs}${last}${why}${locks.map(lockLine).join('')}`
  })
  const tail = `  probes: ${probes.done} done, ${probes.open} open; reports waiting: ${reportsWaiting}`
  return [head, ...lines, tail].join('\n')
}

function lockLine({ name, reason, ageMs }: AgentStatus['models'][number]['locks'][number]): string {
  return `\n    kept as it is for ${formatDuration(ageMs)} by ${name}${reason === null ? '' : `: ${reason}`}`
}
