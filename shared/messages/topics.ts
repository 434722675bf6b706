import { z } from 'zod'
import { deviceIdSchema, fleetSchema } from '../ids.ts'

/** Channels of one device under `fit/1/<fleet>/d/<device>/`: who publishes, with which QoS. */
export const CHANNELS = {
  birth: { from: 'agent', qos: 1 },
  death: { from: 'agent', qos: 1 },
  orders: { from: 'planner', qos: 1 },
  reports: { from: 'agent', qos: 1 },
  want: { from: 'agent', qos: 1 },
  blocks: { from: 'planner', qos: 0 },
} as const
export type Channel = keyof typeof CHANNELS

export interface DeviceTopic {
  readonly fleet: string
  readonly device: string
  readonly channel: Channel
}

const topicPartsSchema = z.tuple([
  z.literal('fit'),
  z.literal('1'),
  fleetSchema,
  z.literal('d'),
  deviceIdSchema,
  z.enum(Object.keys(CHANNELS) as [Channel, ...Channel[]]),
])

export function printTopic(topic: DeviceTopic): string {
  return `fit/1/${topic.fleet}/d/${topic.device}/${topic.channel}`
}

/** Subscription filter over all devices of a fleet. */
export function fleetFilter(fleet: string, channel: Channel): string {
  return `fit/1/${fleet}/d/+/${channel}`
}

/** `undefined` for a topic that is none of ours. */
export function parseTopic(topic: string): DeviceTopic | undefined {
  const parsed = topicPartsSchema.safeParse(topic.split('/'))
  if (!parsed.success) return undefined
  const [, , fleet, , device, channel] = parsed.data
  return { fleet, device, channel }
}
