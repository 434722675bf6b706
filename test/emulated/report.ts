/** What the agent's inventory says of the machine that runs this process, in JSON. */
import { readReport } from '../../agent/inventory/index.ts'

console.log(JSON.stringify(await readReport({ stateDir: process.cwd() })))
