import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { withoutRabbitmq } from '../planner/fleet/brokers.ts'
import { oneAddress, rabbitmqCluster } from '../planner/fleet/rabbitmq-cluster.ts'
import { boardFacts } from '../simulate/boards.ts'
import { Crowd } from '../simulate/crowd.ts'
import { PlannerUnderTest, SAMPLES } from '../simulate/planner-under-test.ts'
import { simulateSettings } from '../simulate/settings.ts'
import { until } from './running.ts'

t.setTimeout(600_000)

const DEVICES = 40
const NODES = 3
const skip = withoutRabbitmq()

t.test(
  'the node of a broker cluster that devices are on is killed in a wave',
  { skip },
  async (t) => {
    const [theirs, ours, witness] = await rabbitmqCluster(t, NODES)
    if (!theirs || !ours || !witness) throw new Error('no cluster')
    t.match(
      ours.ctl('cluster_status', '--formatter', 'json'),
      new RegExp(`fitment_${theirs.port}@`),
    )
    ours.ctl('add_user', 'planner', 'a secret')
    ours.ctl('set_permissions', '-p', '/', 'planner', '.*', '.*', '.*')

    const dir = join(t.testdir({}), 'fleet')
    mkdirSync(dir)
    const secret = join(dir, 'secret')
    writeFileSync(secret, 'a secret\n')
    const common = [
      '--devices',
      `${DEVICES}`,
      '--classes',
      '2',
      '--verify',
      '1',
      '--max-bytes',
      '70000',
    ]
    const settings = simulateSettings([
      ...common,
      '--install-ms',
      '1500',
      '--patience',
      '240',
      '--waves',
      '1,100%',
    ])
    const broker = `mqtt://127.0.0.1:${ours.port}`
    const planner = new PlannerUnderTest({ ...settings, broker, 'secret-file': secret }, dir)
    t.teardown(() => planner.stop())
    const { fleet, anchor } = await planner.start()
    // Devices know one address, and the first node that answers is behind it.
    const port = await oneAddress(
      t,
      [theirs, witness, ours].map((node) => node.port),
    )
    const crowd = new Crowd({
      ...{ settings, fleet, anchor, samples: SAMPLES, dir: join(dir, 'devices') },
      broker: { host: '127.0.0.1', port },
      boards: await boardFacts(2, dir),
    })
    t.teardown(() => crowd.close())
    const { ledger } = crowd
    await crowd.connect()
    await planner.register()
    await planner.plan(false)
    await planner.startRollout()
    await until('a wave under way', async () => (ledger.installs > 3 ? true : undefined))

    const installed = ledger.installs
    await theirs.stop()
    t.ok(installed < DEVICES, `killed when ${installed} of ${DEVICES} had it`)
    await until('the rollouts to be done', async () => {
      const states = await planner.rolloutStates()
      return states.every((state) => state === 'done') ? true : undefined
    })
    t.ok(
      crowd.devices.every(({ isUp }) => isUp),
      'all came to another node',
    )
    t.same(ledger.notVerified, [], 'every signature holds')
    t.equal(ledger.installs, DEVICES, 'every device installed once')
    t.equal(ledger.orders.get('assign')?.needed, DEVICES, 'none was given two assignments')
    await until('every report to have its receipt', async () => {
      return crowd.devices.every(({ unreceipted }) => unreceipted === 0) ? true : undefined
    })
    t.equal(ledger.unreadable, 0)

    await t.test('one that comes back belongs to the cluster again', async (t) => {
      await theirs.start()
      t.match(
        theirs.ctl('cluster_status', '--formatter', 'json'),
        new RegExp(`fitment_${ours.port}@`),
      )
      t.ok(planner.isRunning)
    })
  },
)
