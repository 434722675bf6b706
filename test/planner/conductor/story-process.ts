/**
 * `node story-process.js <story> <folder> <run> [<cut>,…]`: a planner and its devices that play one story as far
 * as they come, as planner and devices that were started again would.
 *
 * First once for each cut: there the planner is left where it stands, with its transaction rolled back and no
 * other begun, and opened again from what is on disk. At `FITMENT_FAIL_POINT` the process kills itself.
 */
import { failPointNames } from '../../../planner/conductor/index.ts'
import { failPointsFrom } from '../../../shared/fail-points.ts'
import { PowerCut, play } from './play.ts'
import type { StoryName } from './stories.ts'

const [, , name = '', folder = '', run = '1', cuts = ''] = process.argv
const story = name as StoryName

for (const point of cuts.split(',').filter(Boolean)) {
  const power = new PowerCut(point)
  await play(story, folder, Number(run), power).catch((error) => {
    if (!power.isCut) throw error
  })
  if (!power.isCut) throw new Error(`the story ${story} does not come to ${point}`)
}
const failPoints = failPointsFrom(process.env.FITMENT_FAIL_POINT, failPointNames(), '')
await play(story, folder, Number(run), failPoints)
