import { type Family, family, processFamilies, textOf } from '../../../shared/exposition/index.ts'
import type { AgentStatus } from './status.ts'

/** What a device's own monitoring may want to know, as Prometheus reads it. Models are the only label that grows. */
export function agentMetrics(status: AgentStatus): string {
  // Where no agent runs, whoever asks the disk is no agent: its memory is of no interest.
  return textOf([...familiesOf(status), ...(status.running ? processFamilies() : [])])
}

function familiesOf({ session, models, probes, reportsWaiting }: AgentStatus): readonly Family[] {
  const dropped = Object.entries(session?.dropped ?? {})
  return [
    family('gauge', 'fitment_agent_info', 'Which agent this is.', sessionSamples(session)),
    family('gauge', 'fitment_agent_connected', 'Whether the broker is reached.', [
      { value: session?.connected ? 1 : 0 },
    ]),
    family(
      'counter',
      'fitment_agent_dropped_messages_total',
      'Messages of the broker that were dropped, by reason.',
      dropped.map(([reason, value]) => ({ labels: { reason }, value })),
    ),
    family(
      'gauge',
      'fitment_agent_model_revision',
      'Revision of the model that runs; -1: one that is not known; none runs: no sample.',
      models
        .filter(({ current }) => current !== null)
        .map(({ model, revision }) => ({ labels: { model }, value: revision ?? -1 })),
    ),
    family(
      'gauge',
      'fitment_agent_installation_failed',
      'Whether the last installation of the model failed.',
      models.map(({ model, installation }) => ({
        labels: { model },
        value: installation?.error ? 1 : 0,
      })),
    ),
    family(
      'gauge',
      'fitment_agent_model_locks',
      'Applications that keep the model as it is.',
      models.map(({ model, locks }) => ({ labels: { model }, value: locks.length })),
    ),
    family('gauge', 'fitment_agent_probes_open', 'Measurements that are under way.', [
      { value: probes.open },
    ]),
    family('gauge', 'fitment_agent_reports_waiting', 'Reports without a receipt.', [
      { value: reportsWaiting },
    ]),
  ]
}

function sessionSamples(session: AgentStatus['session']) {
  if (session === null) return []
  const { version, fleet, device } = session
  return [{ labels: { version, fleet, device }, value: 1 }]
}
