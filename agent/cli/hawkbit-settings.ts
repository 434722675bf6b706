import { readFileSync } from 'node:fs'
import { reasonOf, UsageError } from '../../shared/errors.ts'
import { requireHttpsBeyondLoopback } from '../../shared/loopback.ts'
import type { AgentOptions } from '../daemon/index.ts'
import type { Settings } from './settings.ts'

const GATEWAY = 'gateway:'

/** The other updater that the settings name, if they name one. @throws UsageError */
export function hawkbitOf(settings: Settings): Pick<AgentOptions, 'hawkbit'> {
  const { hawkbit: url, hawkbitTenant: tenant, hawkbitTarget, hawkbitToken, device } = settings
  if (url === undefined) return {}
  requireHttpsBeyondLoopback(url, '--hawkbit')
  if (hawkbitToken === undefined) {
    throw new UsageError(
      '--hawkbit needs --hawkbit-token: the security token of the target, or gateway:TOKEN',
    )
  }
  const said = readSecret(hawkbitToken)
  const token = said.startsWith(GATEWAY)
    ? ({ kind: 'GatewayToken', secret: said.slice(GATEWAY.length) } as const)
    : ({ kind: 'TargetToken', secret: said } as const)
  return { hawkbit: { url, tenant, target: hawkbitTarget ?? device, token } }
}

function readSecret(text: string): string {
  if (!text.startsWith('@')) return text
  const path = text.slice(1)
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw new UsageError(`--hawkbit-token: cannot read ${path}: ${reasonOf(error)}`)
  }
}
