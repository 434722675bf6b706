import { table } from '../../planner/cli/io.ts'

export const ROLES = ['agent', 'planner', 'broker'] as const
export type Role = (typeof ROLES)[number]

/** What the run did, and what it found broken. */
export class Tally {
  readonly kills: Record<Role, number> = { agent: 0, planner: 0, broker: 0 }
  /** Of those: deaths at a named fail point. */
  readonly atFailPoints: Record<Role, number> = { agent: 0, planner: 0, broker: 0 }
  readonly violations: string[] = []
  /** Looks at a device's disk. */
  looks = 0
  /** Slots spoiled on purpose while their agent was dead. */
  spoiled = 0
  loops = 0
  readonly #started = performance.now()

  get killed(): number {
    return ROLES.reduce((sum, role) => sum + this.kills[role], 0)
  }

  get seconds(): number {
    return (performance.now() - this.#started) / 1000
  }

  violate(what: string): void {
    this.violations.push(what)
    console.log(`VIOLATION after ${this.killed} kills: ${what}`)
  }

  print(rows: readonly (readonly [string, string])[]): void {
    const kills = ROLES.map((role): [string, string] => [
      `kills of ${role}s`,
      `${this.kills[role]} (${this.atFailPoints[role]} at fail points)`,
    ])
    const all: (readonly [string, string])[] = [
      ...kills,
      ['seconds per kill', (this.seconds / Math.max(1, this.killed)).toFixed(2)],
      ['looks at a dead device’s disk', `${this.looks}`],
      ['slots spoiled on purpose', `${this.spoiled}`],
      ['crash loops ended by rollback', `${this.loops}`],
      ...rows,
      ['violations', `${this.violations.length}`],
    ]
    console.log(`\n${table(['WHAT', 'HOW MANY'], all)}`)
    for (const violation of this.violations) console.log(`VIOLATION: ${violation}`)
  }
}
