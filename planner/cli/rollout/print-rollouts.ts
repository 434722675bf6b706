import { formatBytes } from '../../../shared/units.ts'
import type { RolloutStatus, RolloutView } from '../../api/index.ts'
import { table } from '../program/io.ts'

export function printRollouts({ rollouts, pending, model, next }: RolloutStatus): string {
  if (rollouts.length + pending.length === 0) {
    return `${model}: no device has joined yet; whoever joins is served`
  }
  const parts = [
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
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

function summaryOf(rollouts: readonly RolloutView[]): string {
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
        formatBytes(rollout.bytes),
        count('active'),
        count('failed', 'refused', 'rolled-back'),
        String(rollout.outside.online + rollout.outside.offline),
        rollout.reason || rollout.why,
      ]
    }),
  )
}

function devicesOf(rollouts: readonly RolloutView[]): string {
  const rows = rollouts.flatMap((rollout) =>
    rollout.devices.map((device) => [
      device.device,
      device.online ? 'online' : 'offline',
      rollout.class,
      String(rollout.revision),
      device.scheme ?? '—',
      device.state,
      device.opensAt === null ? (device.error ?? '') : `window opens ${device.opensAt}`,
    ]),
  )
  return rows.length === 0
    ? ''
    : table(['DEVICE', '', 'CLASS', 'REVISION', 'SCHEME', 'STATE', 'NOTE'], rows)
}
