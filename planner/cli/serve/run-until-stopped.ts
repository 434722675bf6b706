import { setTimeout as sleep } from 'node:timers/promises'
import { goOnWithout } from '../../../shared/command-line/index.ts'
import { messageOf } from '../../../shared/errors.ts'
import { fieldOf } from '../../../shared/open-words.ts'
import { notifyReady, stopSignal } from '../../../shared/service/index.ts'
import { shellWord } from '../../../shared/started-as.ts'
import type { ExitCode } from '../program/command.ts'
import type { CliIo } from '../program/io.ts'
import { boundGarbage } from './bound-garbage.ts'
import type { RunningPlanner } from './planner-process.ts'

/** How a device joins, ready to paste. */
function announce(planner: RunningPlanner, data: string, io: CliIo): void {
  const { info, operatorUrl } = planner
  const isJoined = info.broker.startsWith('mqtts:')
  const agentCommand = isJoined ? joinCommand() : plainCommand(info)
  const invitation = `fitment devices invite --device NAME --data ${shellWord(data)}`
  const shown = { ...info, data, agentCommand, ...(operatorUrl && { operatorUrl }), ready: true }
  goOnWithout(process.stdout)
  io.result(shown, () =>
    [
      `planner ready: fleet ${info.fleet}, broker ${info.broker}, database ${info.database}`,
      ...(operatorUrl === undefined ? [] : [`operators ask ${operatorUrl}`]),
      '',
      ...(isJoined
        ? ['for each device, here:', `  ${invitation}`, 'and there:']
        : ['on each device, with a NAME of its own:']),
      `  ${agentCommand}`,
      '',
      'then, here:',
      `  fitment models add NAME --model F.tflite --calibration F.npz --test F.npz --data ${shellWord(data)}`,
      `  fitment rollout start NAME --wait --data ${shellWord(data)}`,
      '',
    ].join('\n'),
  )
}

function joinCommand(): string {
  const state = '--state-dir /var/lib/fitment-agent'
  return `fitment-agent join TOKEN ${state} && fitment-agent run ${state}`
}

function plainCommand(info: RunningPlanner['info']): string {
  return [
    'fitment-agent run',
    `--broker ${info.broker}`,
    `--fleet ${info.fleet}`,
    '--device NAME',
    '--state-dir /var/lib/fitment-agent',
    `--trust ${info.trust}`,
  ].join(' ')
}

/** Says that the planner is ready, and what it does, until a signal ends it, or its database is lost. */
export async function runUntilStopped(
  planner: RunningPlanner,
  data: string,
  io: CliIo,
): Promise<ExitCode> {
  boundGarbage()
  const stopped = stopSignal()
  announce(planner, data, io)
  let last = ''
  const stopListening = planner.conductor.context.progress.listen(({ model, what, total }) => {
    // Counting is for those who wait for it; the log tells what changes.
    const line = `${model}: ${what}`
    if (total > 0 || line === last) return
    last = line
    io.line(`${new Date().toISOString().slice(11, 19)} ${line}`)
  })
  const stopNotifying = notifyReady()
  return await endedBy({ stopped, lost: planner.lost }, io, async () => {
    stopNotifying()
    stopListening()
    await planner.close()
  })
}

/** Longest that closing may wait for a database that does not answer, ms. */
const LOST_MS = 5_000

/** By a signal, or by the loss of the database: then nothing is waited for that may never come. */
export async function endedBy(
  { stopped, lost }: { readonly stopped: Promise<unknown>; readonly lost: Promise<Error> },
  io: CliIo,
  close: () => Promise<void>,
): Promise<ExitCode> {
  const failure = await Promise.race([stopped.then(() => undefined), lost])
  if (failure === undefined) {
    await close()
    return 0
  }
  io.note(`error [${fieldOf(failure, 'code') ?? 'unreachable'}]: ${messageOf(failure)}`)
  // What hangs would keep the process, and whoever starts it again, waiting.
  setTimeout(() => process.exit(1), LOST_MS).unref()
  await Promise.race([close().catch(() => {}), sleep(LOST_MS)])
  return 1
}
