import {
  type Channel,
  fleetFilter,
  JOIN_CHANNELS,
  type JoinChannel,
  joinFilter,
  parseJoinTopic,
  parseTopic,
  printJoinerId,
} from '../shared/messages/index.ts'
import type { Identity, Role } from './identity.ts'

export type Action = 'publish' | 'subscribe'

export type AnyChannel = Channel | JoinChannel

/**
 * Who may do what on which channel: of its own topics for a device and for who has no name yet, of its
 * fleet's for a planner.
 */
export const ACCESS: Readonly<Record<Role, Readonly<Record<AnyChannel, readonly Action[]>>>> = {
  device: {
    birth: ['publish'],
    death: ['publish'],
    reports: ['publish'],
    want: ['publish'],
    orders: ['subscribe'],
    blocks: ['subscribe'],
    samples: ['publish'],
    request: [],
    answer: [],
  },
  planner: {
    birth: ['subscribe'],
    death: ['subscribe'],
    reports: ['subscribe'],
    want: ['subscribe'],
    orders: ['publish'],
    blocks: ['publish'],
    samples: ['subscribe'],
    request: ['subscribe'],
    answer: ['publish'],
  },
  bootstrap: {
    birth: [],
    death: [],
    reports: [],
    want: [],
    orders: [],
    blocks: [],
    samples: [],
    request: ['publish'],
    answer: ['subscribe'],
  },
}

/** What covers a channel of everybody in a fleet, with one `+` where the name stands. */
export function everyonesFilter(fleet: string, channel: AnyChannel): string {
  return isJoining(channel) ? joinFilter(fleet, channel) : fleetFilter(fleet, channel)
}

function isJoining(channel: AnyChannel): channel is JoinChannel {
  return channel in JOIN_CHANNELS
}

const NAME_LEVEL = 4

/** Every other topic is nobody's: other trees, `$SYS`, `#`, shared subscriptions, other fleets. */
export function mayUse(identity: Identity, action: Action, topicOrFilter: string): boolean {
  const everyone = identity.role === 'planner' && action === 'subscribe'
  const text = everyone ? nameAnyone(topicOrFilter) : topicOrFilter
  const topic = parseTopic(text) ?? parseJoinTopic(text)
  if (topic === undefined || topic.fleet !== identity.fleet) return false
  return isOwn(identity, topic) && ACCESS[identity.role][topic.channel].includes(action)
}

function isOwn(
  identity: Identity,
  topic: { readonly device?: string; readonly joiner?: string },
): boolean {
  if (identity.role === 'device') return topic.device === identity.device
  if (identity.role === 'bootstrap') return topic.joiner === identity.joiner
  return true
}

/** `fit/1/<fleet>/d/+/<channel>` and `fit/1/<fleet>/join/+/request` are the only wildcards with a use. */
function nameAnyone(filter: string): string {
  const levels = filter.split('/')
  if (levels[NAME_LEVEL] !== '+') return filter
  const [, , fleet = '', tree] = levels
  const any = tree === 'join' ? printJoinerId({ fleet, joiner: 'any' }) : 'any'
  return levels.with(NAME_LEVEL, any).join('/')
}
