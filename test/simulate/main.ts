/** `npm run simulate -- --devices 1000 --json`: a fleet of simulated devices against the installed planner, and what that took. */
import { cpus } from 'node:os'
import { messageOf } from '../../shared/errors.ts'
import { printFigures } from './print-figures.ts'
import { simulateSettings } from './settings.ts'
import { simulate } from './simulate.ts'

try {
  const settings = simulateSettings(process.argv.slice(2))
  const machine = `${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}`
  const tell = (line: string) => void process.stderr.write(`${line}\n`)
  tell(`${settings.devices} devices on ${machine}`)
  const figures = await simulate(settings, tell)
  console.log(
    settings.json ? JSON.stringify({ machine, settings, ...figures }) : printFigures(figures),
  )
  process.exit(figures.failures.length > 0 ? 1 : 0)
} catch (error) {
  process.stderr.write(`simulate: ${messageOf(error)}\n`)
  process.exit(1)
}
