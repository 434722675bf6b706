import { tableText as table } from '../../planner/cli/print/layout.ts'

export const ROLES = ['agent', 'planner', 'broker'] as const
export type Role = (typeof ROLES)[number]

/** What the run did, and what it found broken. */
export class Tally {
  readonly kills: Record<Role, number> = { agent: 0, planner: 0, broker: 0 }
  /** Of those: deaths at named fail points, `<role> <name>`. */
  readonly #atFailPoints = new Map<string, number>()
  readonly violations: string[] = []
  /** Looks at a device's disk. */
  looks = 0
  /** Slots spoiled on purpose while their agent was dead. */
  spoiled = 0
  loops = 0
  /** Programs that ended by themselves, saying why, while their disk was full or another had their directory. */
  explained = 0
  readonly #blows = new Map<string, number>()
  readonly #started = performance.now()
  #killingSeconds: number | undefined

  get killed(): number {
    return ROLES.reduce((sum, role) => sum + this.kills[role], 0)
  }

  get seconds(): number {
    return (performance.now() - this.#started) / 1000
  }

  diedAt(role: Role, failPoint: string): void {
    this.#atFailPoints.set(`${role} ${failPoint}`, this.deathsAt(role, failPoint) + 1)
  }

  deathsAt(role: Role, failPoint: string): number {
    return this.#atFailPoints.get(`${role} ${failPoint}`) ?? 0
  }

  blow(name: string): void {
    this.#blows.set(name, (this.#blows.get(name) ?? 0) + 1)
  }

  /** The killing is over; what follows is calm. */
  calm(): void {
    this.#killingSeconds = this.seconds
  }

  violate(what: string): void {
    this.violations.push(what)
    console.log(`VIOLATION after ${this.killed} kills: ${what}`)
  }

  print(rows: readonly (readonly [string, string])[]): void {
    const killing = this.#killingSeconds ?? this.seconds
    const kills = ROLES.map((role): [string, string] => [
      `kills of ${role}s`,
      `${this.kills[role]} (${this.#atFailPointsOf(role)} at fail points)`,
    ])
    const all: (readonly [string, string])[] = [
      ...kills,
      ['seconds of killing', killing.toFixed(0)],
      ['seconds per kill', (killing / Math.max(1, this.killed)).toFixed(2)],
      ['seconds of calm after it', (this.seconds - killing).toFixed(0)],
      ['looks at a dead device’s disk', `${this.looks}`],
      ['slots spoiled on purpose', `${this.spoiled}`],
      ['crash loops ended by rollback', `${this.loops}`],
      ...[...this.#blows]
        .sort()
        .map(([name, count]): [string, string] => [`blows: ${name}`, `${count}`]),
      ['ended by themselves under a blow, saying why', `${this.explained}`],
      ...rows,
      ['violations', `${this.violations.length}`],
    ]
    const points = [...this.#atFailPoints].sort(([one], [other]) => (one < other ? -1 : 1))
    const deaths = points.map(([point, count]) => [point, `${count}`])
    console.log(`\n${table(['FAIL POINT', 'DEATHS'], deaths)}`)
    console.log(`\n${table(['WHAT', 'HOW MANY'], all)}`)
    for (const violation of this.violations) console.log(`VIOLATION: ${violation}`)
  }

  #atFailPointsOf(role: Role): number {
    const own = [...this.#atFailPoints].filter(([point]) => point.startsWith(`${role} `))
    return own.reduce((sum, [, count]) => sum + count, 0)
  }
}
