import type { TableDefinition } from './columns.ts'

/** How models do on devices, and what alarms came of it. Frozen. */
export const healthTables = {
  /** `sketch.json` of a variant over the data of a reference: what observations are counted by. */
  sketches: {
    key: ['variant', 'reference'],
    columns: { variant: 'text', reference: 'text', sketch: 'text' },
  },
  /** The newest window of a model on a device. */
  health_latest: {
    key: ['device', 'model_name'],
    columns: {
      device: 'text',
      model_name: 'text',
      variant: 'text',
      /** Of the report: one that comes twice is counted once. */
      report: 'text',
      body: 'json',
      received_at: 'time',
    },
    indexes: [['model_name']],
  },
  /** All windows of a day added up, packed. */
  health_days: {
    key: ['device', 'model_name', 'variant', 'day'],
    columns: {
      device: 'text',
      model_name: 'text',
      variant: 'text',
      /** By the planner's clock, in UTC. */
      day: 'text',
      body: 'text',
    },
    indexes: [['day']],
  },
  alarms: {
    key: ['rule', 'model_name', 'device'],
    columns: {
      rule: 'text',
      model_name: 'text',
      device: 'text',
      count: 'json',
      /** What was last found, one line. */
      evidence: 'text',
      raised_at: 'time?',
      cleared_at: 'time?',
      updated_at: 'time',
    },
    indexes: [['model_name']],
  },
} as const satisfies Record<string, TableDefinition>
