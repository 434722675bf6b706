import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import {
  bad,
  certificateIn,
  clockOf,
  type Examination,
  folderAt,
  good,
  NODE,
  reach,
  roomAt,
  warning,
} from '../../../shared/diagnosis/index.ts'
import { messageOf } from '../../../shared/errors.ts'
import { formatBytes } from '../../../shared/units.ts'
import { lookAtFileSystems } from '../../artifacts/index.ts'
import { askAgent } from '../../client/index.ts'
import { readJournal, statusSchema } from '../../daemon/index.ts'
import { Engines, nameOf } from '../../engines/index.ts'
import { readIdentity } from '../../identity/index.ts'
import { readReport } from '../../inventory/index.ts'
import { installedPackages } from '../../runtimes/index.ts'

const MIB = 1024 * 1024
/** What the journal is kept free of anything else for; and a small model beside it. */
const ROOM = { badBytes: MIB, warningBytes: 32 * MIB }

/** All that an agent on this state directory needs, the running one included. */
export function examinationsOf(
  stateDir: string,
  now: () => Date = () => new Date(),
): Examination[] {
  return [
    NODE,
    clockOf(now),
    folderAt('state', stateDir),
    roomAt(stateDir, ROOM),
    { subject: 'file systems', look: () => fileSystemsOf(stateDir) },
    { subject: 'agent', look: () => agentOf(stateDir) },
    { subject: 'journal', look: async () => journalOf(stateDir) },
    { subject: 'certificate', look: async () => certificateOf(stateDir, now()) },
    { subject: 'broker', look: () => brokerOf(stateDir) },
    { subject: 'permissions', look: () => permissionsOf(stateDir) },
    { subject: 'runtimes', look: () => runtimesOf(stateDir) },
    { subject: 'limits', look: () => limitsOf(stateDir) },
  ]
}

async function fileSystemsOf(stateDir: string) {
  // Nothing is made where nothing is: the name may be misspelt.
  const isFolder = await stat(stateDir).then(
    (stats) => stats.isDirectory(),
    () => false,
  )
  if (!isFolder) return warning('not looked at: there is no state directory')
  const { hardLinks, caseSensitive } = await lookAtFileSystems(
    join(stateDir, 'artifacts'),
    join(stateDir, 'slots'),
  )
  if (!hardLinks) return warning('no hard links from artifacts/ to slots/: downloads are copied')
  return caseSensitive
    ? good('hard links, symbolic links')
    : warning('capitals make no difference there: no two models may differ in them alone')
}

async function agentOf(stateDir: string) {
  const answer = await askAgent(stateDir, 'status')
  if (answer === undefined) {
    return warning(`none runs here: fitment-agent run --state-dir ${stateDir}`)
  }
  const { session } = statusSchema.parse(answer)
  if (session === null) return warning('it runs, and says nothing of a session')
  const who = `${session.version} as ${session.fleet}/${session.device}`
  return session.connected
    ? good(`${who}, connected to ${session.broker}`)
    : warning(`${who}, without ${session.broker}: its log says why`)
}

function journalOf(stateDir: string) {
  const path = join(stateDir, 'journal')
  if (!existsSync(path)) return warning('not there yet: the first start makes it')
  const waiting = readJournal(path).keys('report').length
  return good(`readable, ${waiting} reports wait for the planner`)
}

function certificateOf(stateDir: string, now: Date) {
  const identity = readIdentity(stateDir)
  if (identity === undefined) return warning('this device has not joined: fitment-agent join TOKEN')
  const renew = `fitment-agent renew --state-dir ${stateDir}`
  const anew = 'join again with a new token of fitment devices invite'
  return [
    certificateIn(identity.certificate, {
      name: `that of ${identity.fleet}/${identity.device}`,
      remedy: `${renew}, or ${anew}`,
      now,
    }),
    certificateIn(identity.authority, { name: 'the authority', remedy: anew, now }),
  ]
}

async function brokerOf(stateDir: string) {
  const identity = readIdentity(stateDir)
  if (identity === undefined) return undefined
  const { broker, authority: ca, certificate: cert, key } = identity
  try {
    await reach(broker, { ca, cert, key })
    return good(`${broker} answers`)
  } catch (error) {
    return bad(
      `${broker} cannot be reached (${messageOf(error)}): is the planner running, does its name resolve here, does a firewall stand between?`,
    )
  }
}

async function permissionsOf(stateDir: string) {
  const path = join(stateDir, 'identity', 'identity.json')
  if (!existsSync(path)) return undefined
  const { mode } = await stat(path)
  return (mode & 0o077) === 0
    ? good('the private key is its owner’s alone')
    : bad(`others may read ${path}: chmod 600 it, and join again with a new token`)
}

/** Each is loaded once, in a process of its own. */
async function runtimesOf(stateDir: string) {
  const engines = new Engines(async () => ({
    runtimes: null,
    libraries: (await installedPackages(stateDir)).map(({ runtime, library: path }) => ({
      runtime,
      path,
    })),
    delegates: [],
    devices: [],
  }))
  await engines.refresh()
  const unusable = engines.unusable.map(({ name, message }) => warning(`${name}: ${message}`))
  const names = engines.all.map(nameOf)
  return names.length === 0
    ? [bad('none: this device can run no model; install Fitment anew'), ...unusable]
    : [good(names.join(', ')), ...unusable]
}

/** What the machine, or the container, lets it have. */
async function limitsOf(stateDir: string) {
  const { memory, cpu } = await readReport({ stateDir })
  return good(`${formatBytes(memory.totalBytes)} of memory, ${cpu.cores} cores`)
}
