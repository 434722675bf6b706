/**
 * `node story-process.js <story> <folder> <run> [<cut>,…]`: a planner and its devices that play one story as far
 * as they come. Every run does what is still to be done, as planner and devices that were started again would.
 *
 * First once for each cut: there the planner is left where it stands, with its transaction rolled back and no
 * other begun, and opened again from what is on disk. At `FITMENT_FAIL_POINT` the process kills itself.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { failPointNames } from '../../../planner/conductor/index.ts'
import type { Db } from '../../../planner/storage/index.ts'
import { openDatabase } from '../../../planner/storage/index.ts'
import { type FailPoints, failPointsFrom } from '../../../shared/fail-points.ts'
import { openPlanner } from './scripted-fleet.ts'
import { Stage } from './stage.ts'
import { STORIES, type StoryName } from './stories.ts'

/** Throws at the place, and wherever anything is to be written after it. */
class PowerCut implements FailPoints {
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

const [, , story = '', folder = '', run = '1', cuts = ''] = process.argv

for (const point of cuts.split(',').filter(Boolean)) {
  const power = new PowerCut(point)
  await play(power).catch((error) => {
    if (!power.isCut) throw error
  })
  if (!power.isCut) throw new Error(`the story ${story} does not come to ${point}`)
}
await play(failPointsFrom(process.env.FITMENT_FAIL_POINT, failPointNames()))

async function play(failPoints: FailPoints | PowerCut): Promise<void> {
  const open = () => openDatabase({ data: folder })
  const planner = await openPlanner(folder, {}, { now: new Date() }, open, failPoints)
  const isCut = () => failPoints instanceof PowerCut && failPoints.isCut
  if (failPoints instanceof PowerCut) failPoints.onCut = () => void planner.conductor.close()
  try {
    await nothingIsLost(planner.conductor.engine.db)
    await STORIES[story as StoryName].play(new Stage(planner, folder, Number(run), isCut))
    await nothingIsLost(planner.conductor.engine.db)
  } finally {
    await planner.close()
  }
}

/** What a device had a receipt for is stored. */
async function nothingIsLost(db: Db): Promise<void> {
  const file = join(folder, 'receipts')
  const receipted = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []
  const rows = await db.selectFrom('reports').select('id').execute()
  const stored = new Set(rows.map(({ id }) => id))
  const lost = receipted.filter((id) => !stored.has(id))
  if (lost.length > 0) throw new Error(`receipts without a report: ${lost.join(', ')}`)
}
