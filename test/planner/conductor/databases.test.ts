import t from 'tap'
import { rollouts } from '../../../planner/storage/index.ts'
import { DATABASES } from '../storage/databases.ts'
import { chosenModel } from './chosen-model.ts'
import { openPlanner, ScriptedDevice, settle } from './scripted-fleet.ts'

for (const database of DATABASES) {
  t.test(
    `a rollout from birth to done on ${database.name}`,
    { skip: database.skip ?? false },
    async (t) => {
      const { data, open } = await database.create(t)
      const planner = await openPlanner(data, {}, undefined, open)
      t.teardown(planner.close)
      const { context } = planner.conductor
      const devices = []
      for (const id of ['a', 'b', 'c']) devices.push(await new ScriptedDevice(id, planner).join())
      await chosenModel(context, 'raspberry-pi-4')
      await settle(planner)
      for (const device of devices) {
        const [order] = await device.take('assign')
        if (!order) throw new Error(`no order for ${device.id}`)
        await device.install(order, 'accepted', 'downloading', 'active')
      }
      const [rollout] = await rollouts.rolloutsOf(context.db, 'motor')
      t.match(rollout, { state: 'done', wave: 1 })
      const members = await rollouts.membersOf(context.db, rollout?.id ?? '')
      t.same(
        members.map(({ device, state, wave }) => [device, state, wave]),
        [
          ['a', 'active', 0],
          ['b', 'active', 1],
          ['c', 'active', 1],
        ],
      )
    },
  )
}
