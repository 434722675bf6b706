import type { Db } from '../storage/index.ts'
import type { Notice } from './notices.ts'

export interface ClusterListener {
  /** This planner leads from now on. */
  led(): void
  /** These parts of the devices are this planner's from now on. */
  gained(shards: ReadonlySet<number>): void
  /** Some are no longer: `owns` says which. */
  released(): void
  notice(notice: Notice): void
}

/** Who of several planners does what. A planner that is alone does everything (`ALONE`). */
export interface Cluster {
  readonly id: string
  /** Whether others may work on this database too. */
  readonly isShared: boolean
  /** Nobody else was here when it came: what is half done is nobody's. */
  readonly isFirst: boolean
  /** Models and rollouts are its to move on. */
  leads(): boolean
  /** It speaks with this device, or with who joins under this name. */
  owns(device: string): boolean
  /** Inside a transaction of who leads: nobody else leads before that has ended. @throws ClusterError `superseded` */
  fence(trx: Db): Promise<void>
  tell(notice: Notice): void
  /** From here on it takes its share. */
  start(listener: ClusterListener): Promise<void>
  /** Settles when its leases ran out and could not be renewed: it must stop at once. */
  readonly lost: Promise<Error>
  /** All that it has is free for others at once. */
  close(): Promise<void>
}

export const ALONE: Cluster = {
  id: 'alone',
  isShared: false,
  isFirst: true,
  leads: () => true,
  owns: () => true,
  fence: async () => {},
  tell: () => {},
  start: async () => {},
  lost: new Promise(() => {}),
  close: async () => {},
}
