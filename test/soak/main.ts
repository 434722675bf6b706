/** `npm run soak -- --kills 1000`: a fleet whose processes are killed at random, and what must never happen. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageOf } from '../../shared/errors.ts'
import { randomOf } from '../planner/formats/tflite/random.ts'
import { Blows } from './blows.ts'
import { Chaos } from './chaos.ts'
import { ending } from './ending.ts'
import { Fleet } from './fleet.ts'
import { soakSettings } from './settings.ts'
import { Tally } from './tally.ts'

const settings = soakSettings(process.argv.slice(2))
const { kills, seed, agents, keep } = settings
const dir = keep ?? mkdtempSync(join(tmpdir(), 'soak-'))
mkdirSync(dir, { recursive: true })
console.log(
  `seed ${seed}: ${kills} kills, ${agents} agents, a planner and a broker; ` +
    `${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}; state and logs in ${dir}`,
)

const { fleet, taps } = await Fleet.start(dir, agents)
const tally = new Tally()
const blows = new Blows(fleet, randomOf(seed + 1), tally)
const chaos = new Chaos(fleet, randomOf(seed), tally, settings['life-ms'], blows)
const streaming = new AbortController()
// Ctrl-C ends the killing; what must hold in the end is still looked at.
const enough = new AbortController()
process.once('SIGINT', () => enough.abort())
const stream = fleet.operator.stream(streaming.signal)
try {
  blows.start()
  await chaos.run(kills, enough.signal, () => blows.stop())
  streaming.abort()
  const turns = await stream
  const { installs, rollbacks, receipted, accepted } = fleet.witness
  await ending(fleet, chaos, tally)
  tally.print([
    ['there-and-back turns of the rollout', `${turns}`],
    ['installs reported', `${installs}`],
    ['rollbacks reported', `${rollbacks}`],
    ['receipts seen on the wire', `${receipted}`],
    ['orders accepted by devices', `${accepted.size}`],
  ])
} catch (error) {
  tally.violate(`the soak itself stopped: ${messageOf(error)}`)
  chaos.over()
} finally {
  streaming.abort()
  for (const program of fleet.programs) program.kill()
  for (const tap of taps) await tap.close()
}
if (tally.violations.length > 0) console.log(`seed ${seed}; state and logs stay in ${dir}`)
else {
  fleet.unmount()
  if (keep === undefined) rmSync(dir, { recursive: true, force: true })
}
process.exit(tally.violations.length > 0 ? 1 : 0)
