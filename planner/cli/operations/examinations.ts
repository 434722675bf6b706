import { existsSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import {
  bad,
  certificateIn,
  clockOf,
  type Examination,
  folderAt,
  good,
  loads,
  NODE,
  reach,
  roomAt,
  warning,
} from '../../../shared/diagnosis/index.ts'
import { messageOf } from '../../../shared/errors.ts'
import { ApiError, connectPlanner, type OperationOutput } from '../../api/index.ts'
import { AUTHORITY_FILES, IDENTITY_FOLDER, SERVER_FILE } from '../../identity/index.ts'
import {
  artifactsElsewhere,
  databaseFile,
  lookIntoBucket,
  lookIntoSqlite,
} from '../../storage/index.ts'

type Info = OperationOutput<'planner.info'>

const MIB = 1024 * 1024
/** Less than one large model, its variants and the log of the database need. */
const ROOM = { badBytes: 64 * MIB, warningBytes: 1024 * MIB }

const RUNTIMES = ['@litertjs/core', 'onnxruntime-node'] as const

export interface Subject {
  readonly data: string
  /** `s3://bucket/prefix`; absent: files, unless the planner says otherwise. */
  readonly artifacts: string | undefined
}

/** All that a planner on this data directory needs, the running one included. */
export function examinationsOf(
  { data, artifacts }: Subject,
  now: () => Date = () => new Date(),
): Examination[] {
  const info = infoOf(data)
  const identity = join(data, IDENTITY_FOLDER)
  return [
    NODE,
    clockOf(now),
    folderAt('data', data),
    roomAt(data, ROOM),
    { subject: 'planner', look: async () => plannerOf(data, await info()) },
    { subject: 'database', look: async () => databaseOf(data, await info()) },
    { subject: 'artifacts', look: () => artifactsOf(data, artifacts) },
    { subject: 'certificates', look: () => certificatesOf(identity, now()) },
    { subject: 'broker', look: async () => brokerOf(identity, await info()) },
    { subject: 'permissions', look: () => permissionsOf(data) },
    {
      subject: 'runtimes',
      look: () => Promise.all(RUNTIMES.map(runtimeOf)),
    },
  ]
}

/** Undefined where none runs. */
function infoOf(data: string): () => Promise<Info | undefined> {
  let asked: Promise<Info | undefined> | undefined
  return () => {
    asked ??= connectPlanner(data, undefined)
      .call('planner.info', {})
      .catch((error) => {
        if (error instanceof ApiError && error.code === 'no-planner') return undefined
        throw error
      })
    return asked
  }
}

function plannerOf(data: string, info: Info | undefined) {
  if (info === undefined) return warning(`none runs: start one with fitment serve --data ${data}`)
  return info.clock === undefined
    ? good(`fleet ${info.fleet}, version ${info.version}`)
    : bad(info.clock)
}

async function databaseOf(data: string, info: Info | undefined) {
  if (info !== undefined) return good(`${info.database}, in use by the planner`)
  const path = databaseFile(data)
  if (!existsSync(path)) return warning(`${path} is not there yet: the first start makes it`)
  await lookIntoSqlite(path)
  return good(`${path} is whole`)
}

/** Credentials are the planner's: where nobody gives them along with the place, nothing is found out. */
async function artifactsOf(data: string, artifacts: string | undefined) {
  if (artifacts !== undefined) {
    await lookIntoBucket(artifacts)
    return good(`${artifacts} is written, read and cleaned up after`)
  }
  const elsewhere = await artifactsElsewhere(data)
  return elsewhere === undefined
    ? undefined
    : warning(
        `they lie in ${elsewhere}: run this with --artifacts ${elsewhere}, in the planner’s environment, to look there`,
      )
}

async function certificatesOf(folder: string, now: Date) {
  if (!existsSync(folder)) return warning(`${folder} is not there yet: the first start makes it`)
  const remedy = 'start the planner, which makes a new one'
  const authority = await readFile(join(folder, AUTHORITY_FILES.certificate), 'utf8')
  const server = await readFile(join(folder, SERVER_FILE), 'utf8').catch(() => undefined)
  return [
    certificateIn(authority, { name: 'the authority', remedy, now }),
    ...(server === undefined
      ? []
      : [
          certificateIn(server.slice(server.indexOf('-----BEGIN CERTIFICATE')), {
            name: 'the server',
            remedy,
            now,
          }),
        ]),
  ]
}

async function brokerOf(identity: string, info: Info | undefined) {
  if (info === undefined) return undefined
  try {
    const ca = await readFile(join(identity, AUTHORITY_FILES.certificate), 'utf8')
    await reach(info.broker, { ca })
    return good(`${info.broker} answers`)
  } catch (error) {
    return bad(
      `${info.broker} cannot be reached (${messageOf(error)}): is its name one that this machine knows, does a firewall stand between?`,
    )
  }
}

/** Keys that others may read are keys that others have. */
async function permissionsOf(data: string) {
  const open: string[] = []
  for (const folder of [data, join(data, IDENTITY_FOLDER), join(data, 'trust', 'keys')]) {
    const names = (await readdir(folder).catch(() => [])).filter((name) =>
      /\.(key|pem)$/.test(name),
    )
    for (const name of names) {
      const path = join(folder, name)
      const isKey = name.endsWith('.key') || (await readFile(path, 'utf8')).includes('PRIVATE KEY')
      if (isKey && ((await stat(path)).mode & 0o077) !== 0) open.push(path)
    }
  }
  return open.length === 0
    ? good('private keys are their owner’s alone')
    : bad(
        `others may read ${open.join(', ')}: chmod 600 them, and rotate what others may have read`,
      )
}

async function runtimeOf(name: string) {
  try {
    await loads(name)
    return good(`${name} loads`)
  } catch (error) {
    return bad(`${name} does not load (${messageOf(error)}): install Fitment anew on this machine`)
  }
}
