import type { Logger } from 'pino'
import { UsageError } from '../../shared/errors.ts'
import { nameSchema } from '../../shared/ids.ts'
import { requireTlsBeyondLoopback } from '../../shared/loopback.ts'
import { repeatedly } from '../../shared/repeatedly.ts'
import { VERSION } from '../../shared/version.ts'
import type { ConductorContext } from '../conductor/index.ts'
import { events } from '../storage/index.ts'
import { DevicesNow } from './devices.ts'
import { SEQ_LIMIT, SparkplugSession, type SparkplugSettings } from './session.ts'

const LOOK_MS = 10_000
const LONGEST_PAUSE_MS = 120_000
/** Under which name the number of the last birth is kept. */
const BIRTHS = 'sparkplug.births'
const USUAL_NODE = 'fitment'

/** @param name `GROUP`, or `GROUP/NODE` @throws UsageError */
export function sparkplugOf(url: string, name: string): SparkplugSettings {
  if (!URL.canParse(url) || !/^mqtts?:$/.test(new URL(url).protocol)) {
    throw new UsageError('--sparkplug is no broker: mqtts://[user:password@]host[:port]')
  }
  const { protocol, host } = new URL(url)
  requireTlsBeyondLoopback(`${protocol}//${host}`, 'give an mqtts:// broker to --sparkplug')
  const [group = '', node = USUAL_NODE, ...rest] = name.split('/')
  if (rest.length > 0 || [group, node].some((word) => !nameSchema.safeParse(word).success)) {
    throw new UsageError(`--sparkplug-name "${name}" is not GROUP or GROUP/NODE`)
  }
  return { url, group, node }
}

interface Options {
  readonly context: Pick<ConductorContext, 'db' | 'leads' | 'artifacts' | 'log'>
  readonly fleet: string
  readonly settings: SparkplugSettings
  readonly log: Logger
  /** Between two looks at the devices, ms. */
  readonly everyMs?: number
}

/**
 * The planner as an edge node of Sparkplug B, and devices of the fleet as its devices. A broker that is away is said once,
 * and tried again.
 */
export function startSparkplug(options: Options): { close(): Promise<void> } {
  const { context, settings, log, everyMs = LOOK_MS } = options
  const devices = new DevicesNow(context)
  let session: SparkplugSession | undefined
  const work = repeatedly({
    everyMs,
    longestMs: LONGEST_PAUSE_MS,
    async look() {
      session = await sessionNow(options, session)
      await session?.tell(await devices.read())
      return undefined
    },
    failed(reason, failures) {
      const place = new URL(settings.url).host
      if (failures === 1) log.warn({ reason }, `no Sparkplug broker at ${place}`)
    },
    mended: () => log.info('the Sparkplug broker is there again'),
  })
  return {
    async close() {
      await work.close()
      await session?.close()
    },
  }
}

/** Of several planners one is the node: two of a name would end each other. */
async function sessionNow(
  { context: { db, leads }, fleet, settings }: Options,
  before: SparkplugSession | undefined,
): Promise<SparkplugSession | undefined> {
  if (!leads()) {
    await before?.close()
    return undefined
  }
  if (before !== undefined && !before.isOver) return before
  await before?.close()
  const births = (await events.placeOf(db, BIRTHS)) ?? 0
  await events.setPlace(db, BIRTHS, (births + 1) % SEQ_LIMIT)
  return await SparkplugSession.open(settings, { bdSeq: births, fleet, version: VERSION })
}
