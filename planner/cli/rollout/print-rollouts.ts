import { formatBytes } from '../../../shared/units.ts'
import type { RolloutStatus, RolloutView } from '../../api/index.ts'
import { cell } from '../print/figure.ts'
import { apart, type Page, table } from '../print/page.ts'

export function printRollouts({ rollouts, pending, model, next }: RolloutStatus): Page {
  if (rollouts.length + pending.length === 0) {
    return `${model}: no device has joined yet; whoever joins is served`
  }
  return apart(
    ...(rollouts.length > 0 ? [summaryOf(rollouts), devicesOf(rollouts)] : []),
    ...(pending.length > 0
      ? [
          table(
            ['CLASS', 'STAGE', 'WAITS FOR'],
            pending.map((row) => [row.class, row.stage, row.waiting]),
          ),
        ]
      : []),
    ...(next
      ? [
          `next: revision ${next.revision}, once this has ended (${next.by}, ${next.at.slice(0, 16)})`,
        ]
      : []),
  )
}

/** The same, and what becomes of those that cannot be told now. */
export function printAbort(status: RolloutStatus): Page {
  const unreached = status.rollouts
    .filter(({ state }) => state === 'aborted')
    .flatMap(({ devices }) => devices)
    .filter(({ online }) => !online)
  const kept = unreached.filter(({ state }) => state === 'released').map(({ device }) => device)
  const back = unreached.filter(({ state }) => state === 'reverting').map(({ device }) => device)
  return apart(
    printRollouts(status),
    ...(kept.length > 0
      ? [
          `offline: ${few(kept)}: gets nothing more; what it had downloaded whole it may install all the same, and then says so`,
        ]
      : []),
    ...(back.length > 0
      ? [`offline: ${few(back)}: gets back what it ran before as soon as it appears`]
      : []),
  )
}

const MOST_NAMED = 8

function few(devices: readonly string[]): string {
  const rest = devices.length - MOST_NAMED
  return `${devices.slice(0, MOST_NAMED).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}

function summaryOf(rollouts: readonly RolloutView[]): Page {
  return table(
    ['CLASS', 'REVISION', 'STATE', 'WAVE', 'VARIANT', 'SIZE', 'ACTIVE', 'FAILED', 'TO COME', 'WHY'],
    rollouts.map((rollout) => {
      const count = (...states: string[]) =>
        String(rollout.devices.filter(({ state }) => states.includes(state)).length)
      return [
        rollout.where === null ? rollout.class : `${rollout.class} where ${rollout.where}`,
        String(rollout.revision),
        rollout.state,
        `${rollout.wave} of ${rollout.waves}`,
        `${rollout.scheme} on ${rollout.runtime}`,
        cell(rollout.bytes, formatBytes),
        count('active'),
        count('failed', 'refused', 'rolled-back'),
        String(rollout.outside.online + rollout.outside.offline),
        rollout.reason || rollout.why,
      ]
    }),
    { spare: ['SIZE', 'VARIANT', 'TO COME'] },
  )
}

function devicesOf(rollouts: readonly RolloutView[]): Page {
  const rows = rollouts.flatMap((rollout) =>
    rollout.devices.map((device) => [
      device.device,
      device.online ? 'online' : 'offline',
      rollout.class,
      String(rollout.revision),
      device.scheme ?? '—',
      device.state,
      device.error ??
        (device.opensAt === null ? device.recheck : `window opens ${device.opensAt}`) ??
        '',
    ]),
  )
  return rows.length === 0
    ? ''
    : table(['DEVICE', 'ONLINE', 'CLASS', 'REVISION', 'SCHEME', 'STATE', 'NOTE'], rows, {
        spare: ['SCHEME', 'REVISION', 'CLASS'],
        main: true,
      })
}
