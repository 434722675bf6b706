import { type OperationName, querySchemaOf } from '../../api/index.ts'

/** What a model may ask: one reading operation of the API each, described for who has never seen a fleet. */
export interface Tool {
  readonly asks: OperationName
  readonly title: string
  readonly description: string
}

/**
 * The tools by name. Each only reads; their inputs are the schemas of the operations, of which the OpenAPI document is
 * made too.
 */
export const TOOLS: Readonly<Record<string, Tool>> = {
  planner: {
    asks: 'planner.info',
    title: 'Planner',
    description:
      'Which planner answers: its version, fleet, broker, and whether its clock is right.',
  },
  classes: {
    asks: 'classes.list',
    title: 'Fleet by device class',
    description:
      'The fleet at a glance: classes of devices that are alike, how many of each, how many online, their runtimes and room.',
  },
  class: {
    asks: 'classes.show',
    title: 'One device class',
    description: 'A class, why its members belong to it, and what was chosen for it of each model.',
  },
  devices: {
    asks: 'devices.list',
    title: 'Devices',
    description:
      'Devices in service by name, with state, class, labels, what they run and alarms. Filters: q (part of the name), class, state, health, model, where (e.g. site=hall-2,class!=raspberry-pi-4).',
  },
  device: {
    asks: 'devices.show',
    title: 'One device',
    description:
      'All that is known of a device: hardware, runtimes, what it runs, why it is of its class.',
  },
  models: {
    asks: 'models.list',
    title: 'Models',
    description:
      'Models in their newest revision: limits, float quality, and the stage of each class.',
  },
  model: {
    asks: 'models.show',
    title: 'One model',
    description:
      'A revision of a model with the evidence of each class: every candidate, its size, latency, accuracy and why it was kept or dropped.',
  },
  revisions: {
    asks: 'models.history',
    title: 'Revisions of a model',
    description: 'Revisions of a model: who added them, how good each is, how many devices run it.',
  },
  explain: {
    asks: 'plan.explain',
    title: 'Why a device gets its variant',
    description:
      'Why a device gets the variant it gets: every candidate beside the chosen one, and every measurement behind it with its interval.',
  },
  variants: {
    asks: 'variants.list',
    title: 'Variants',
    description: 'Candidates of each class and model, with why each was kept or dropped.',
  },
  probes: {
    asks: 'probes.list',
    title: 'Measurements on devices',
    description:
      'What devices measured or are asked to measure: latency, memory, accuracy, verdict.',
  },
  rollouts: {
    asks: 'rollouts.list',
    title: 'Rollouts',
    description:
      'Rollouts newest first, with state, wave and counts. Filters: model, class, state.',
  },
  rollout: {
    asks: 'rollouts.show',
    title: 'One rollout',
    description:
      'A rollout by its numbers: waves, gates, and causes of failures with an example device each.',
  },
  rollout_devices: {
    asks: 'rollouts.members',
    title: 'Devices of a rollout',
    description: 'Devices of a rollout by name, each with its wave, state and error.',
  },
  health: {
    asks: 'health',
    title: 'Health of a model in the field',
    description:
      'Drift, latency and surroundings of a model by device and by day, beside its reference.',
  },
  alarms: {
    asks: 'alarms.list',
    title: 'Alarms',
    description:
      'Alarms that are raised, newest first, with their evidence; all: those that are over, too.',
  },
  waiting_signatures: {
    asks: 'keys.pending',
    title: 'What waits for signatures',
    description:
      'Metadata that waits for signatures of keys kept elsewhere: nothing of it ships before.',
  },
  audit: {
    asks: 'audit.list',
    title: 'Audit',
    description:
      'Who changed what and when, newest first. Filters: subject, actor, action. Needs an admin.',
  },
}

/** As tools/list has them. */
export function toolList(): readonly Readonly<Record<string, unknown>>[] {
  return Object.entries(TOOLS).map(([name, { asks, title, description }]) => ({
    name,
    title,
    description,
    inputSchema: querySchemaOf(asks),
    annotations: { title, readOnlyHint: true, openWorldHint: false },
  }))
}
