import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { stopSignal } from '../../shared/service/index.ts'
import { type DeviceOutcome, OUTCOME_HEAD, outcomeRow } from '../demo/outcome.ts'
import { runDemo } from '../demo/run-demo.ts'
import { type Page, table } from './print/page.ts'
import { defineCommand } from './program/command.ts'

export const demoCommand = defineCommand({
  path: 'demo',
  summary: 'The whole loop on this machine: broker, planner, six agents, one model.',
  options: [
    { flags: '--keep <dir>', description: 'empty folder for state and logs, kept afterwards' },
    {
      flags: '--console',
      description: 'leave the fleet running, with a link to its web console, until Ctrl-C',
    },
  ],
  example: 'fitment demo',
  input: z.object({ keep: z.string().optional(), console: z.boolean().default(false) }),
  run: async ({ keep, console: stays }, io) => {
    const dir = keep ?? (await mkdtemp(join(tmpdir(), 'fitment-demo-')))
    const started = performance.now()
    const elapsed = () => `${((performance.now() - started) / 1000).toFixed(0).padStart(3)} s`
    const progress = io.progress('demo')
    const devices = await runDemo(dir, {
      step: (what, command) => {
        progress.end()
        io.line(`${elapsed()}  ${what}${command === undefined ? '' : `\n         $ ${command}`}`)
      },
      progress: ({ what, done, total }) => progress.update(done, total, what),
      ...(stays && {
        console: async (link: string) => {
          progress.end()
          const stopped = stopSignal()
          io.line(`${elapsed()}  the console, until Ctrl-C:\n\n  ${link}\n`)
          await stopped
        },
      }),
    })
    progress.end()
    io.result({ seconds: (performance.now() - started) / 1000, devices }, () => [
      `${elapsed()}  done\n`,
      forPeople(devices),
    ])
    if (keep === undefined) await rm(dir, { recursive: true, force: true })
    return devices.every(({ scheme }) => scheme !== null) ? 0 : 1
  },
})

function forPeople(devices: readonly DeviceOutcome[]): Page {
  const reasons = devices.map(({ device, story, why }) => `${device} (${story})\n    ${why}`)
  return [
    table(OUTCOME_HEAD, devices.map(outcomeRow)),
    '',
    '* identity of a captured device tree; latency measured on this host, all devices sharing it',
    '  accuracy over the whole test set; P50 by the device itself, or by its class where it joined late;',
    '  OF FLOAT32 THERE: its latency over that of float32 in the same runtime, both measured in turns',
    '',
    'WHY',
    ...reasons,
  ]
}
