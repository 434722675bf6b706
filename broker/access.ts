import { type Channel, parseTopic } from '../shared/messages/topics.ts'
import type { Identity, Role } from './identity.ts'

export type Action = 'publish' | 'subscribe'

/** Who may do what on which channel: of its own topics for a device, of its fleet's for a planner. */
export const ACCESS: Readonly<Record<Role, Readonly<Record<Channel, readonly Action[]>>>> = {
  device: {
    birth: ['publish'],
    death: ['publish'],
    reports: ['publish'],
    want: ['publish'],
    orders: ['subscribe'],
    blocks: ['subscribe'],
  },
  planner: {
    birth: ['subscribe'],
    death: ['subscribe'],
    reports: ['subscribe'],
    want: ['subscribe'],
    orders: ['publish'],
    blocks: ['publish'],
  },
}

const DEVICE_LEVEL = 4

/** Every other topic is nobody's: other trees, `$SYS`, `#`, shared subscriptions, other fleets. */
export function mayUse(identity: Identity, action: Action, topicOrFilter: string): boolean {
  const everyDevice = identity.role === 'planner' && action === 'subscribe'
  const topic = parseTopic(everyDevice ? nameAnyDevice(topicOrFilter) : topicOrFilter)
  if (topic === undefined || topic.fleet !== identity.fleet) return false
  if (identity.role === 'device' && topic.device !== identity.device) return false
  return ACCESS[identity.role][topic.channel].includes(action)
}

/** `fit/1/<fleet>/d/+/<channel>` is the one wildcard with a use. */
function nameAnyDevice(filter: string): string {
  const levels = filter.split('/')
  return levels[DEVICE_LEVEL] === '+' ? levels.with(DEVICE_LEVEL, 'any').join('/') : filter
}
