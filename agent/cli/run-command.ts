import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Digest } from '../../shared/digest.ts'
import { reasonOf, UsageError } from '../../shared/errors.ts'
import { failPointsFrom } from '../../shared/fail-points.ts'
import { requireTlsBeyondLoopback } from '../../shared/loopback.ts'
import type { HardwareReport, HostFigures, ProposedEngine } from '../../shared/messages/index.ts'
import { findNative, readNativeTable } from '../../shared/native-paths/index.ts'
import { notifyReady, stopSignal } from '../../shared/service/index.ts'
import { parseTrustPin } from '../../shared/trust/index.ts'
import { VERSION } from '../../shared/version.ts'
import {
  createModelRunner,
  failPointNames,
  type HealthSettings,
  SYSTEM_CLOCK,
  startAgent,
} from '../daemon/index.ts'
import { deviceRoot } from '../device-root/index.ts'
import type { EngineSettings } from '../engines/index.ts'
import {
  type DeviceIdentity,
  identityEndpoint,
  keepRenewed,
  readIdentity,
} from '../identity/index.ts'
import { readReport } from '../inventory/index.ts'
import { type Endpoint, type Log, parseEndpoint, RECONNECT_BACKOFF } from '../link/index.ts'
import { installedPackages } from '../runtimes/index.ts'
import { createLog } from './create-log.ts'
import { hawkbitOf } from './hawkbit-settings.ts'
import { renewInProcess } from './renew-in-process.ts'
import type { Settings } from './settings.ts'

/** Blocks in flight: 1 MiB, which is 18 MB/s at a round trip of 50 ms. */
const WINDOW = 16

/** What the device was told comes before what the planner sent. */
async function engineSettings(settings: Settings): Promise<EngineSettings> {
  const packages = await installedPackages(settings.stateDir)
  return {
    runtimes: settings.runtimes ?? null,
    libraries: [
      ...settings.library,
      ...packages.map(({ runtime, library: path }) => ({ runtime, path })),
    ],
    delegates: settings.delegate,
    delegatedOnly: settings.delegatedOnly,
    devices: settings.openvinoDevices,
  }
}

/** Runs until a signal ends it. @throws AppError when it cannot start */
export async function runAgent(settings: Settings): Promise<void> {
  const { stateDir, root } = settings
  if (!existsSync(root)) throw new UsageError(`there is no directory ${root} for --root`)
  const log = createLog(settings.logLevel, process.stderr)
  const storageLimitBytes = settings.storageLimit ?? null
  const memoryLimitBytes = settings.memoryLimit ?? null
  const identity = identityFor(settings)
  const agent = await startAgent({
    endpoint: endpointFor(settings, identity),
    fleet: settings.fleet,
    device: settings.device,
    stateDir,
    trust: readTrust(settings.trust),
    class: settings.class ?? null,
    labels: settings.labels,
    storageLimitBytes,
    memoryLimitBytes,
    cacheLimitBytes: settings.cacheLimit,
    acceptsRuntimes: settings.acceptRuntimes,
    pulls: !settings.noPull,
    window: WINDOW,
    version: VERSION,
    backoff: RECONNECT_BACKOFF,
    clock: SYSTEM_CLOCK,
    failPoints: failPointsFrom(
      process.env.FITMENT_FAIL_POINT,
      failPointNames(),
      'agent/daemon/journal/commit-names.ts',
    ),
    log,
    health: healthOf(settings),
    observeMs: 1000 * settings.observeSeconds,
    ...(settings.capture && { capture: settings.capture }),
    ...hawkbitOf(settings),
    check: { everyMs: 86_400_000 * settings.checkDays, quietHours: settings.quietHours },
    readHost: () => readHost(root),
    findNative: (report) => wellKnown(report, root),
    engineSettings: () => engineSettings(settings),
    modelRunner: createModelRunner({ memoryLimitBytes, threads: settings.threads ?? null, root }),
    readHardware: () =>
      readReport({
        root,
        stateDir,
        ...(storageLimitBytes !== null && { storageLimitBytes }),
        ...(memoryLimitBytes !== null && { memoryLimitBytes }),
      }),
  })
  const leaving = new AbortController()
  const stopped = stopSignal()
  const stopNotifying = notifyReady()
  if (identity !== undefined) void keepOwnRenewed(stateDir, leaving.signal, log)
  const signal = await stopped
  log.info({ signal }, 'agent leaves')
  stopNotifying()
  leaving.abort()
  await agent.close()
}

/** Once an hour: the code of it need not be held meanwhile. */
async function readHost(root: string): Promise<Omit<HostFigures, 'restarts'>> {
  const { readEnvironment } = await import('../probe/index.ts')
  const { hottestCelsius, throttleCount, availableBytes, piFlags } = await readEnvironment(
    deviceRoot(root),
  )
  // Where the kernel counts nothing, the firmware of a Raspberry Pi still says what holds now.
  const throttled = throttleCount ?? (piFlags.length > 0 ? piFlags.length : null)
  return { hottestCelsius, throttled, availableBytes }
}

/** Looked for, never opened: an unknown library is not run because of its name. */
async function wellKnown(report: HardwareReport, root: string): Promise<ProposedEngine[]> {
  const { libraries, delegates } = await findNative(await readNativeTable(), report, root)
  return [
    ...libraries.map(({ runtime, path }) => ({ name: runtime, path })),
    ...delegates.map(({ name, path }) => ({ name, path })),
  ]
}

/** What it was told when it joined; `undefined` where it is told by flags whom to talk to, and how. */
function identityFor(settings: Settings): DeviceIdentity | undefined {
  const { stateDir, broker, fleet, device, cert, key } = settings
  const identity = readIdentity(stateDir)
  if (identity === undefined || broker !== identity.broker || cert || key) return undefined
  if (identity.device === device && identity.fleet === fleet) return identity
  throw new UsageError(
    `this state directory joined as ${identity.fleet}/${identity.device}, not as ${fleet}/${device}: leave out --fleet and --device, or choose another --state-dir`,
  )
}

/** A hook that cannot be run would take every variant back. */
function healthOf(settings: Settings): HealthSettings {
  const { healthCommand, healthWord: word, healthSeconds, watchSeconds } = settings
  const times = { word, answerMs: 1000 * healthSeconds, watchMs: 1000 * watchSeconds }
  if (healthCommand === undefined) return { command: null, ...times }
  try {
    accessSync(healthCommand, constants.X_OK)
  } catch {
    throw new UsageError(
      `--health-command ${healthCommand} cannot be run: is it there and executable?`,
    )
  }
  return { command: resolve(healthCommand), ...times }
}

function endpointFor(
  { broker, stateDir, ca, cert, key }: Settings,
  identity: DeviceIdentity | undefined,
): Endpoint {
  if (identity !== undefined) return identityEndpoint(stateDir, identity)
  requireTlsBeyondLoopback(broker, 'join with a token of fitment devices invite')
  return parseEndpoint(broker, {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  })
}

function keepOwnRenewed(stateDir: string, leaving: AbortSignal, log: Log): Promise<void> {
  return keepRenewed({
    stateDir,
    now: () => SYSTEM_CLOCK.now(),
    sleep: async (ms, signal) => {
      await setTimeout(ms, undefined, { signal, ref: false }).catch(() => {})
    },
    random: Math.random,
    renew: () => renewInProcess(stateDir, leaving),
    leaving,
    log,
  })
}

function readTrust(text: string): Digest {
  try {
    return parseTrustPin(text.startsWith('sha256:') ? text : readFileSync(text, 'utf8'))
  } catch (error) {
    throw new UsageError(
      `--trust: ${text.startsWith('sha256:') ? '' : `${text}: `}${reasonOf(error)}`,
      {},
      { cause: error },
    )
  }
}
