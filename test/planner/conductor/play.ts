import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Db, openDatabase } from '../../../planner/storage/index.ts'
import type { FailPoints } from '../../../shared/fail-points.ts'
import { openPlanner } from './scripted-fleet.ts'
import { Stage } from './stage.ts'
import { STORIES, type StoryName } from './stories.ts'

/** Throws at the place, and wherever anything is to be written after it. */
export class PowerCut implements FailPoints {
  readonly #point: string
  isCut = false
  onCut = () => {}

  constructor(point: string) {
    this.#point = point
  }

  isArmed(name: string): boolean {
    return name === this.#point
  }

  reach(name: string): void {
    if (!this.isCut && name !== this.#point) return
    if (!this.isCut) this.onCut()
    this.isCut = true
    throw new Error(`the power went at ${this.#point}`)
  }
}

/** One run of a story, as far as it comes. Every run does what is still to be done. */
export async function play(
  story: StoryName,
  folder: string,
  run: number,
  failPoints: FailPoints,
): Promise<void> {
  const open = () => openDatabase({ data: folder })
  const planner = await openPlanner(folder, {}, { now: new Date() }, open, failPoints)
  const isCut = () => failPoints instanceof PowerCut && failPoints.isCut
  if (failPoints instanceof PowerCut) failPoints.onCut = () => void planner.conductor.close()
  try {
    await nothingIsLost(planner.conductor.context.db, folder)
    await STORIES[story].play(new Stage(planner, folder, run, isCut))
    await nothingIsLost(planner.conductor.context.db, folder)
  } finally {
    await planner.close()
  }
}

/** What a device had a receipt for is stored. */
async function nothingIsLost(db: Db, folder: string): Promise<void> {
  const file = join(folder, 'receipts')
  const receipted = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []
  const rows = await db.selectFrom('reports').select('id').execute()
  const stored = new Set(rows.map(({ id }) => id))
  const lost = receipted.filter((id) => !stored.has(id))
  if (lost.length > 0) throw new Error(`receipts without a report: ${lost.join(', ')}`)
}
