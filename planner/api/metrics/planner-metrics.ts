import { type Family, family, processFamilies, textOf } from '../../../shared/exposition/index.ts'
import type { ConductorContext } from '../../conductor/index.ts'
import { figures } from '../../storage/index.ts'
import type { PlannerInfo } from '../call/call.ts'
import type { Requests } from './requests.ts'

/** A scrape costs some counts in the database: whoever asks more often gets the same text. */
const KEPT_MS = 1_000

/** The planner's figures. Every label has few values: classes, models, states; a device is in none. */
export class PlannerMetrics {
  readonly #context: ConductorContext
  readonly #info: PlannerInfo
  readonly #requests: Requests
  readonly #more: () => readonly Family[]
  #text: Promise<string> | undefined
  #madeAt = 0

  constructor(
    context: ConductorContext,
    info: PlannerInfo,
    requests: Requests,
    more: () => readonly Family[] = () => [],
  ) {
    this.#context = context
    this.#info = info
    this.#requests = requests
    this.#more = more
  }

  text(): Promise<string> {
    const now = performance.now()
    if (this.#text === undefined || now - this.#madeAt >= KEPT_MS) {
      this.#madeAt = now
      const made = this.#make()
      this.#text = made
      made.catch(() => {
        this.#text = undefined
      })
    }
    return this.#text
  }

  async #make(): Promise<string> {
    const { version, fleet } = this.#info
    const info = { labels: { version, fleet }, value: 1 }
    const found = await figures.readFigures(this.#context.db)
    return textOf([
      family('gauge', 'fitment_planner_info', 'Which planner this is.', [info]),
      ...FIGURES.map(([name, help, samples]) => family('gauge', name, help, samples(found))),
      family('counter', 'fitment_audit_entries_total', 'Entries of the audit log.', [
        { value: found.auditEntries },
      ]),
      ...this.#requests.families(),
      ...this.#more(),
      ...processFamilies(),
    ])
  }
}

type Figures = figures.Figures
type Reading = (found: Figures) => Family['samples']

const one =
  (pick: (found: Figures) => number): Reading =>
  (found) => [{ value: pick(found) }]

/** Name, what it says, and where it is read. */
const FIGURES: readonly (readonly [string, string, Reading])[] = [
  ['fitment_devices', 'Devices by class and presence.', (found) => found.devices],
  ['fitment_devices_retired', 'Devices out of service.', one((found) => found.retired)],
  ['fitment_alarms_raised', 'Alarms that are raised, by model.', (found) => found.alarms],
  ['fitment_rollouts', 'Rollouts by state.', (found) => found.rollouts],
  [
    'fitment_rollout_devices',
    'Members of open rollouts, by model, class and state.',
    (found) => found.members,
  ],
  ['fitment_pipelines', 'Models for classes, by how far planning is.', (found) => found.pipelines],
  ['fitment_probes_open', 'Measurements that are under way.', one((found) => found.openProbes)],
  ['fitment_reports_waiting', 'Reports that wait to be applied.', one((found) => found.reports)],
  [
    'fitment_artifact_bytes',
    'Bytes of models, data and variants.',
    one((found) => found.artifactBytes),
  ],
  [
    'fitment_webhook_deliveries',
    'Deliveries of webhooks, by webhook and state.',
    (found) => found.deliveries,
  ],
]
