import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { invariant } from '../../shared/errors.ts'

export interface DemoDevice {
  readonly device: string
  /** Captured device tree under `devices/` whose identity the agent takes on; null: this host as it is. */
  readonly tree: string | null
  /** What makes it different, for the table's reader. */
  readonly story: string
  readonly storageLimit?: string
  readonly memoryLimit?: string
  /** It is offline while the others are served, and must catch up. */
  readonly late?: boolean
}

/** Six devices, five boards and this host. Identities are captured, every number is measured on this host. */
export const DEMO_FLEET: readonly DemoDevice[] = [
  { device: 'pump-1', tree: 'raspberry-pi-4', story: 'Raspberry Pi 4' },
  { device: 'press-1', tree: 'rock-5b', story: 'RK3588, plenty of everything' },
  {
    device: 'fan-1',
    tree: 'imx8mp-evk',
    story: 'i.MX 8M Plus with 1 MiB for models: the test data and float32 do not fit together',
    storageLimit: '1060KiB',
  },
  {
    device: 'valve-1',
    tree: 'raspberry-pi-zero-2-w',
    story: 'Raspberry Pi Zero 2 W with a tight RAM limit',
    memoryLimit: '192MiB',
  },
  { device: 'this-host', tree: null, story: 'this machine as it is' },
  {
    device: 'gate-1',
    tree: 'jetson-nano',
    story: 'Jetson Nano, offline until the others are served',
    late: true,
  },
]

/** The demo's files in the package, wherever the compiled code stands. */
export function demoFile(...parts: readonly string[]): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const candidate = join(folder, 'planner', 'demo', ...parts)
    if (existsSync(candidate)) return candidate
    invariant(dirname(folder) !== folder, `the package ships planner/demo/${parts.join('/')}`)
  }
}
