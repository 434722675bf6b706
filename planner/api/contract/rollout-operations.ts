import { z } from 'zod'
import { deviceIdSchema } from '../../../shared/ids.ts'
import { labelKeySchema } from '../../../shared/labels.ts'
import { selectorSchema } from '../../groups/index.ts'
import { healthGateSchema } from '../../health/index.ts'
import {
  gateSchema,
  MEMBER_STATES,
  ROLLOUT_STATES,
  rateSchema,
  waveSchema,
} from '../../rollout/index.ts'
import { alarmViewSchema, healthViewSchema } from './health-views.ts'
import { list, type Operation } from './operation.ts'
import { model, ofModel, ofRevision, revisionName } from './revision-name.ts'
import { rolloutDetailSchema, rolloutMemberSchema, rolloutSummarySchema } from './rollout-views.ts'
import { rolloutStatusSchema } from './views.ts'

const change = model.extend({ class: z.string().optional() })
const rolloutNamed = z.object({ rollout: z.string().max(64) })

/** What operators do with rollouts, and how models do where they were rolled out. */
export const ROLLOUT_OPERATIONS = {
  'rollout.start': {
    role: 'operator',
    input: ofRevision.extend({
      waves: z.array(waveSchema).min(1),
      gate: gateSchema,
      approval: z.boolean(),
      revert: z.boolean(),
      health: healthGateSchema.nullish(),
      where: selectorSchema.optional(),
      atomicBy: labelKeySchema.optional(),
      rate: rateSchema.optional(),
      atOnce: z.boolean().optional(),
      /** Where another revision is under way: begin once it has ended, instead of refusing. */
      after: z.boolean().optional(),
      wait: z.boolean(),
      acceptNoise: z.boolean().optional(),
    }),
    output: rolloutStatusSchema,
  },
  rollback: {
    role: 'operator',
    input: model.extend({ to: revisionName.optional(), wait: z.boolean() }),
    output: rolloutStatusSchema,
  },
  'rollout.status': { role: 'viewer', input: model, output: rolloutStatusSchema },
  'rollout.pause': {
    role: 'operator',
    /** When it goes on by itself; absent: when somebody resumes it. */
    input: change.extend({ until: z.iso.datetime({ offset: true }).optional() }),
    output: rolloutStatusSchema,
  },
  'rollout.resume': {
    role: 'operator',
    input: change.extend({ retry: z.boolean() }),
    output: rolloutStatusSchema,
  },
  'rollout.abort': { role: 'operator', input: change, output: rolloutStatusSchema },
  'rollout.approve': { role: 'operator', input: change, output: rolloutStatusSchema },
  health: {
    role: 'viewer',
    input: model.extend({
      device: deviceIdSchema.optional(),
      class: z.string().max(128).optional(),
      where: selectorSchema.optional(),
      days: z.number().int().min(1).max(35).default(7),
    }),
    output: healthViewSchema,
  },
  'alarms.list': list('viewer', alarmViewSchema, {
    ...ofModel.shape,
    device: deviceIdSchema.optional(),
    /** Those that are over, too. */
    all: z.boolean().default(false),
  }),
  'rollouts.list': list('viewer', rolloutSummarySchema, {
    ...ofModel.shape,
    class: z.string().max(128).optional(),
    state: z.enum(ROLLOUT_STATES).optional(),
  }),
  'rollouts.show': { role: 'viewer', input: rolloutNamed, output: rolloutDetailSchema },
  'rollouts.members': list('viewer', rolloutMemberSchema, {
    ...rolloutNamed.shape,
    state: z.enum(MEMBER_STATES).optional(),
    /** Counted from 1. */
    wave: z.number().int().positive().optional(),
  }),
} as const satisfies Record<string, Operation>
