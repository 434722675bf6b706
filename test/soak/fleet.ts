import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { deviceTree } from '../device-trees.ts'
import { freePort } from '../free-port.ts'
import { lacksCompiler, preloadOf } from '../native/preload.ts'
import { Device } from './device.ts'
import { MODEL, Operator } from './operator.ts'
import { Program } from './program.ts'
import { WireTap } from './wire-tap.ts'
import { Witness } from './witness.ts'

/** Boards whose identity the devices take on in turns: two classes. */
const BOARDS = ['raspberry-pi-4', 'rock-5b']
const START_MS = 90_000
const POLL_MS = 200
/** Room on the disk of a device, and of the planner. */
const DISK_BYTES = 48 * 2 ** 20
const PLANNER_DISK_BYTES = 256 * 2 ** 20

/** Broker, planner and agents as processes on loopback, and the tap between them. */
export class Fleet {
  readonly data: string
  readonly broker: Program
  readonly planner: Program
  readonly devices: readonly Device[]
  readonly operator: Operator
  readonly witness: Witness
  readonly #brokerPort: number
  /** Where a device that was copied talks: what it promises is promised by nobody. */
  readonly #clonePort: number
  readonly #disks: string[] = []
  /** What devices trust; said by the planner. */
  #trust = ''

  private constructor(
    dir: string,
    agents: number,
    ports: { broker: number; tap: number; clones: number },
    witness: Witness,
  ) {
    const logs = join(dir, 'logs')
    mkdirSync(logs, { recursive: true })
    this.data = join(dir, 'planner')
    this.#brokerPort = ports.broker
    this.#clonePort = ports.clones
    const clock = lacksCompiler() ? undefined : preloadOf('wrong-clock', logs)
    this.#mount(this.data, PLANNER_DISK_BYTES)
    this.witness = witness
    const secret = ['--secret-file', join(dir, 'broker-secret')]
    this.broker = new Program('broker', 'broker', logs, () => [
      ...['broker', '--data', join(dir, 'broker'), '--port', `${ports.broker}`, ...secret],
    ])
    this.planner = new Program(
      'planner',
      'planner',
      logs,
      () => [
        ...['planner', '--data', this.data, '--broker', `mqtt://127.0.0.1:${ports.broker}`],
        ...['--probe-ms', '400', ...secret],
      ],
      clock,
    )
    this.operator = new Operator(this.data, dir)
    this.devices = Array.from({ length: agents }, (_, index) => {
      const id = `device-${index + 1}`
      const stateDir = join(dir, id)
      const root = deviceTree(BOARDS[index % BOARDS.length] as string)
      this.#mount(stateDir, DISK_BYTES)
      const line = () => this.#agentLine(id, stateDir, root, ports.tap)
      const program = new Program('agent', id, logs, line, clock)
      return new Device(program, stateDir)
    })
  }

  /** A disk of its own, which can be full; where that may not be mounted, none ever is. */
  #mount(path: string, bytes: number): void {
    mkdirSync(path, { recursive: true })
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path], {
        stdio: 'ignore',
      })
      this.#disks.push(path)
    } catch {}
  }

  get hasDisks(): boolean {
    return this.#disks.length > 0
  }

  /** What lies there is lost. */
  unmount(): void {
    for (const disk of this.#disks) execFileSync('umount', ['-l', disk])
  }

  #agentLine(id: string, stateDir: string, root: string, port: number): readonly string[] {
    return [
      ...['run', '--broker', `mqtt://127.0.0.1:${port}`, '--trust', this.#trust],
      ...['--device', id, '--state-dir', stateDir, '--root', root, '--threads', '1'],
    ]
  }

  /** What Node is told to run for a copy of the device. */
  cloneLine({ id, program }: Device, stateDir: string): readonly string[] {
    const root = deviceTree(BOARDS[(Number(id.split('-')[1]) - 1) % BOARDS.length] as string)
    const [main = ''] = program.line
    return [main, ...this.#agentLine(id, stateDir, root, this.#clonePort)]
  }

  /** Starts everything, and has every device run one variant with another one behind it. */
  static async start(
    dir: string,
    agents: number,
  ): Promise<{ fleet: Fleet; taps: readonly WireTap[] }> {
    const witness = new Witness()
    const devices = new Map<string, Device>()
    const brokerPort = await freePort()
    const tap = new WireTap(brokerPort, (message) => {
      witness.hear(message)
      const device = devices.get(message.device)
      if (device === undefined || message.channel !== 'birth') return
      device.births += 1
      device.isSpoiled = false
    })
    // The receipts that a copy gets hold all the same.
    const clones = new WireTap(brokerPort, (message) => {
      if (message.channel !== 'reports') witness.hear(message)
    })
    const ports = { broker: brokerPort, tap: await tap.listen(), clones: await clones.listen() }
    const fleet = new Fleet(dir, agents, ports, witness)
    for (const device of fleet.devices) devices.set(device.id, device)
    try {
      await fleet.#setUp()
    } catch (error) {
      for (const program of fleet.programs) program.kill()
      for (const one of [tap, clones]) await one.close()
      fleet.unmount()
      throw error
    }
    return { fleet, taps: [tap, clones] }
  }

  get programs(): readonly Program[] {
    return [this.broker, this.planner, ...this.devices.map(({ program }) => program)]
  }

  /** Asks whether what was just started does its work by now. */
  upProbe(program: Program): () => Promise<boolean> {
    const device = this.devices.find((one) => one.program === program)
    const before = device?.births ?? 0
    if (device !== undefined) return async () => device.births > before
    if (program === this.broker) return () => isListening(this.#brokerPort)
    const { planner } = this.operator
    return () =>
      planner.call('planner.info', {}).then(
        () => true,
        () => false,
      )
  }

  /** Leaves in order, agents first. Answers those that did not. */
  async stop(): Promise<readonly string[]> {
    const failed: string[] = []
    for (const group of [
      this.devices.map(({ program }) => program),
      [this.planner],
      [this.broker],
    ]) {
      for (const program of group) program.kill('SIGTERM')
      for (const program of group) {
        const { code, signal } = await program.ended
        if (code !== 0)
          failed.push(`${program.name} left with ${code ?? signal}: ${program.lastWords()}`)
      }
    }
    return failed
  }

  async #setUp(): Promise<void> {
    this.broker.start('')
    // It has written its secret, which the planner reads at once, before it listens.
    await until('the broker', async () =>
      (await isListening(this.#brokerPort)) ? true : undefined,
    )
    this.planner.start('')
    const { planner } = this.operator
    const info = await until('the planner', () => planner.call('planner.info', {}))
    this.#trust = info.trust
    for (const { program } of this.devices) program.start('')
    await until('the devices', async () => {
      const online = (await planner.call('devices.list', {})).filter((device) => device.online)
      return online.length === this.devices.length ? true : undefined
    })
    for (const revision of [1, 2] as const) {
      console.log(`revision ${revision} is planned, measured and rolled out`)
      await this.operator.setUp(revision)
      for (const device of await planner.call('devices.list', {})) {
        const slot = device.installed.find(({ model, active }) => active && model === MODEL)
        const own = this.devices.find(({ id }) => id === device.id)
        if (slot !== undefined) own?.allowed.add(slot.variant)
      }
    }
    const poor = this.devices.filter(({ allowed }) => allowed.size < 2)
    if (poor.length > 0) throw new Error('the two revisions did not give two variants')
  }
}

async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + START_MS
  for (;;) {
    const answer = await ask().catch(() => undefined)
    if (answer !== undefined) return answer
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`)
    await sleep(POLL_MS)
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('close', () => socket.destroy())
    socket.end()
  })
}
