import t from 'tap'
import { simulateSettings } from '../simulate/settings.ts'
import { simulate } from '../simulate/simulate.ts'

t.setTimeout(840_000)

t.test('a simulated fleet: births, a plan, a rollout with downloads, and a storm', async (t) => {
  const settings = simulateSettings([
    ...['--devices', '12', '--classes', '2', '--verify', '1', '--downloads', '0.5'],
    ...['--slow', '0.2', '--storms', '1', '--max-bytes', '70000', '--patience', '600'],
  ])
  const figures = await simulate(settings)
  t.same(figures.failures, [], 'every signature and digest holds, and every rollout ends well')
  t.equal(figures.installs, 12)
  t.equal(figures.orders.assign?.needed, 12, 'one assignment a device')
  t.ok(figures.downloads > 0)
  // Every probe and every assignment was held against the keys the device was set up with.
  const { probe, assign } = figures.orders
  t.ok(figures.verified >= (probe?.needed ?? 0) + (assign?.needed ?? 0))
  t.ok(figures.births.cpuSeconds > 0, 'the planner is measured by the kernel')
  t.ok(figures.births.simulatorCpuSeconds > 0, 'and so is who shares its processors')
  t.ok(figures.databaseBytesPerDevice > 0)
})

t.test(
  'a third that freezes in the rollout holds up nobody, and a copy gives what is fetched',
  async (t) => {
    const settings = simulateSettings([
      ...[
        '--devices',
        '12',
        '--classes',
        '2',
        '--downloads',
        '1',
        '--pull',
        '1',
        '--frozen',
        '0.3',
      ],
      ...['--weights', '40000', '--max-bytes', '70000', '--waves', '100%', '--patience', '600'],
    ])
    const figures = await simulate(settings)
    t.same(figures.failures, [])
    t.ok(figures.installs < 12, 'some are frozen')
    t.ok(figures.pulls >= figures.installs, 'whoever installed had fetched it from the copy')
  },
)

t.test('bad options are one line that says what there is', async (t) => {
  t.throws(() => simulateSettings(['--device', '3']), /there are --devices/)
  t.throws(() => simulateSettings(['--devices', 'many']), /--devices/)
  t.throws(() => simulateSettings(['--churn', '2', '--devices', '1']), /--churn/)
})
