/** systemd's watchdog over real processes: a datagram socket of the file system hears what they tell it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { spawnAgent } from '../agent/agent-process.ts'
import { driverOf, stateDirOf } from '../agent/device.ts'
import { FITMENT } from './command-line.ts'
import { isHere } from './is-here.ts'
import { until } from './running.ts'

const skip =
  !(isHere('systemd-notify') && isHere('systemd-socket-activate')) && 'no systemd tools here'

t.setTimeout(300_000)

/** As WatchdogSec= tells it; a service says that it lives three times as often. */
const WATCHDOG_MS = 1_500
/** A loop that stands still when it is told to. */
const HANGS = `data:text/javascript,process.on('SIGUSR2',()=>{for(;;);})`

interface Heard {
  readonly socket: string
  count(word: string): number
}

/** A socket as systemd's own, opened by its own tool; what comes is what `cat` reads of it. */
async function notifySocket(t: Test): Promise<Heard> {
  const socket = join(stateDirOf(t), 'notify')
  const receiver = spawn(
    'systemd-socket-activate',
    ['--datagram', '--listen', socket, 'sh', '-c', 'exec cat <&3'],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  ended(t, receiver)
  let said = ''
  receiver.stdout.on('data', (text) => {
    said += text
  })
  await until('the socket', async () => existsSync(socket) || undefined)
  return { socket, count: (word) => said.split(word).length - 1 }
}

function ended(t: Test, child: ChildProcess): void {
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'close')
  })
}

function environmentOf({ socket }: Heard): Record<string, string> {
  return { NOTIFY_SOCKET: socket, WATCHDOG_USEC: `${1000 * WATCHDOG_MS}` }
}

async function provesAlive(t: Test, heard: Heard, child: ChildProcess): Promise<void> {
  await until('its word that it is ready', async () => heard.count('READY=1') || undefined)
  await until('its word that it lives', async () => heard.count('WATCHDOG=1') >= 3 || undefined)
  t.equal(heard.count('READY=1'), 1)
  child.kill('SIGUSR2')
  // What was on its way has come by then.
  await sleep(WATCHDOG_MS)
  const before = heard.count('WATCHDOG=1')
  await sleep(2 * WATCHDOG_MS)
  t.equal(heard.count('WATCHDOG=1'), before, 'who stands still says nothing')
  t.equal(child.exitCode, null)
}

t.test('an agent says that it lives, until its loop stands still', { skip }, async (t) => {
  const driver = await driverOf(t)
  const heard = await notifySocket(t)
  const environment = { ...environmentOf(heard), NODE_OPTIONS: `--import=${HANGS}` }
  const { child } = spawnAgent(driver, stateDirOf(t), environment)
  ended(t, child)
  await provesAlive(t, heard, child)
})

t.test('a planner does', { skip }, async (t) => {
  const heard = await notifySocket(t)
  const serve = ['serve', '--data', stateDirOf(t), '--port', '0', '--insecure-loopback']
  const child = spawn(process.execPath, [`--import=${HANGS}`, FITMENT, ...serve], {
    stdio: 'ignore',
    env: { PATH: process.env.PATH, ...environmentOf(heard) },
  })
  ended(t, child)
  await provesAlive(t, heard, child)
})

t.test('who leaves in order says so', { skip }, async (t) => {
  const driver = await driverOf(t)
  const heard = await notifySocket(t)
  const { child } = spawnAgent(driver, stateDirOf(t), environmentOf(heard))
  ended(t, child)
  await until('its word that it is ready', async () => heard.count('READY=1') || undefined)
  child.kill('SIGTERM')
  t.same(await once(child, 'exit'), [0, null])
  await until('its word that it stops', async () => heard.count('STOPPING=1') || undefined)
})
