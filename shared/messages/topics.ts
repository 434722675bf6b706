import { z } from 'zod'
import { fleetSchema, isName, nameSchema } from '../ids.ts'

/** Channels of one device under `fit/1/<fleet>/d/<device>/`: who publishes, with which QoS. */
export const CHANNELS = {
  birth: { from: 'agent', qos: 1 },
  death: { from: 'agent', qos: 1 },
  orders: { from: 'planner', qos: 1 },
  reports: { from: 'agent', qos: 1 },
  want: { from: 'agent', qos: 1 },
  blocks: { from: 'planner', qos: 0 },
  samples: { from: 'agent', qos: 0 },
} as const
export type Channel = keyof typeof CHANNELS

export interface DeviceTopic {
  readonly fleet: string
  readonly device: string
  readonly channel: Channel
}

export function printTopic(topic: DeviceTopic): string {
  return `fit/1/${topic.fleet}/d/${topic.device}/${topic.channel}`
}

/** Subscription filter over all devices of a fleet. */
export function fleetFilter(fleet: string, channel: Channel): string {
  return `fit/1/${fleet}/d/+/${channel}`
}

/** `undefined` for a topic that is none of ours. */
export function parseTopic(topic: string): DeviceTopic | undefined {
  const parts = topic.split('/', 7)
  if (parts.length !== 6) return undefined
  const [tree, version, fleet = '', kind, device = '', channel = ''] = parts
  const isOurs = tree === 'fit' && version === '1' && kind === 'd' && isChannel(channel)
  return isOurs && isName(fleet) && isName(device) ? { fleet, device, channel } : undefined
}

function isChannel(text: string): text is Channel {
  return Object.hasOwn(CHANNELS, text)
}

/**
 * The exchange `fit/1/<fleet>/join/<client id>/` by which a device gets a certificate, before it has a name. Its
 * level is the whole client id, so that a broker elsewhere can bind the one to the other (Mosquitto's `%c`).
 */
export const JOIN_CHANNELS = {
  request: { from: 'agent', qos: 1 },
  answer: { from: 'planner', qos: 1 },
} as const
export type JoinChannel = keyof typeof JOIN_CHANNELS

export interface JoinTopic {
  readonly fleet: string
  /** Random, of one exchange. */
  readonly joiner: string
  readonly channel: JoinChannel
}

export type Joiner = Pick<JoinTopic, 'fleet' | 'joiner'>

const JOINER_PREFIX = 'join:'

const joinerPartsSchema = z.tuple([fleetSchema, nameSchema])

/** The client id under which somebody joins. */
export function printJoinerId({ fleet, joiner }: Joiner): string {
  return `${JOINER_PREFIX}${fleet}:${joiner}`
}

/** `undefined` for the client id of nobody who joins. */
export function parseJoinerId(clientId: string): Joiner | undefined {
  if (!clientId.startsWith(JOINER_PREFIX)) return undefined
  const parsed = joinerPartsSchema.safeParse(clientId.slice(JOINER_PREFIX.length).split(':'))
  if (!parsed.success) return undefined
  const [fleet, joiner] = parsed.data
  return { fleet, joiner }
}

const joinTopicPartsSchema = z.tuple([
  z.literal('fit'),
  z.literal('1'),
  fleetSchema,
  z.literal('join'),
  z.string(),
  z.enum(Object.keys(JOIN_CHANNELS) as [JoinChannel, ...JoinChannel[]]),
])

export function printJoinTopic(topic: JoinTopic): string {
  return `fit/1/${topic.fleet}/join/${printJoinerId(topic)}/${topic.channel}`
}

/** Subscription filter over all joiners of a fleet. */
export function joinFilter(fleet: string, channel: JoinChannel): string {
  return `fit/1/${fleet}/join/+/${channel}`
}

/** `undefined` for a topic that is none of ours. */
export function parseJoinTopic(topic: string): JoinTopic | undefined {
  const parsed = joinTopicPartsSchema.safeParse(topic.split('/'))
  if (!parsed.success) return undefined
  const [, , fleet, , clientId, channel] = parsed.data
  const named = parseJoinerId(clientId)
  return named?.fleet === fleet ? { ...named, channel } : undefined
}
