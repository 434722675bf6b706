import { existsSync, readFileSync } from 'node:fs'
import { messageOf, UsageError } from '../../shared/errors.ts'
import { parseTrustedKey, type TrustedKey } from '../../shared/signatures/index.ts'
import { createBench } from '../daemon/bench.ts'
import { failPointsFrom, SYSTEM_CLOCK, startAgent } from '../daemon/index.ts'
import { readReport } from '../inventory/index.ts'
import { parseEndpoint, RECONNECT_BACKOFF } from '../link/index.ts'
import { createLog } from './create-log.ts'
import type { Settings } from './settings.ts'
import { VERSION } from './version.ts'

/** Blocks in flight: 1 MiB, which is 18 MB/s at a round trip of 50 ms (design §6). */
const WINDOW = 16

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/** Runs until a signal ends it. @throws AppError when it cannot start */
export async function runAgent(settings: Settings): Promise<void> {
  const { ca, cert, key, stateDir, root } = settings
  if (!existsSync(root)) throw new UsageError(`there is no directory ${root} for --root`)
  const log = createLog(settings.logLevel, process.stderr)
  const storageLimitBytes = settings.storageLimit ?? null
  const memoryLimitBytes = settings.memoryLimit ?? null
  const agent = await startAgent({
    endpoint: parseEndpoint(settings.broker, {
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
    }),
    fleet: settings.fleet,
    device: settings.device,
    stateDir,
    trusted: readTrusted(settings.trust),
    storageLimitBytes,
    memoryLimitBytes,
    cacheLimitBytes: settings.cacheLimit,
    window: WINDOW,
    version: VERSION,
    backoff: RECONNECT_BACKOFF,
    clock: SYSTEM_CLOCK,
    failPoints: failPointsFrom(process.env.FITMENT_FAIL_POINT),
    log,
    bench: createBench({ memoryLimitBytes, threads: settings.threads ?? null, root }),
    readHardware: () =>
      readReport({
        root,
        stateDir,
        ...(storageLimitBytes !== null && { storageLimitBytes }),
        ...(memoryLimitBytes !== null && { memoryLimitBytes }),
      }),
  })
  const signal = await new Promise<string>((resolve) => {
    for (const name of SIGNALS) process.once(name, () => resolve(name))
  })
  log.info({ signal }, 'agent leaves')
  await agent.close()
}

function readTrusted(text: string): TrustedKey {
  try {
    return parseTrustedKey(text.startsWith('ed25519:') ? text : readFileSync(text, 'utf8'))
  } catch (error) {
    throw new UsageError(`--trust: ${messageOf(error)}`, {}, { cause: error })
  }
}
