import t from 'tap'
import type { Call } from '../../../../planner/api/call/call.ts'
import { RUN } from '../../../../planner/api/server/operations.ts'
import { layOut } from '../../../../planner/cli/print/layout.ts'
import { printAbort } from '../../../../planner/cli/rollout/print-rollouts.ts'
import { parseWaves } from '../../../../planner/rollout/index.ts'
import { chosenModel } from '../../conductor/chosen-model.ts'
import { planner, ScriptedDevice, settle } from '../../conductor/scripted-fleet.ts'

const CLASS = 'raspberry-pi-4'

t.test('an abort says what devices will do that cannot be told of it now', async (t) => {
  const p = await planner(t)
  const { context } = p.conductor
  const call: Call = {
    conductor: p.conductor,
    context,
    info: { version: '', fleet: 'default', broker: '', database: '', trust: p.trust },
    actor: 'cli:ada',
    progress: () => {},
    signal: new AbortController().signal,
  }
  const options = { waves: [...parseWaves('100%')], revert: true }
  const there = await new ScriptedDevice('there', p).join()
  const online = await new ScriptedDevice('online', p).join()
  await chosenModel(context, CLASS, options, 'a')
  await settle(p)
  for (const device of [there, online]) {
    for (const order of await device.take('assign')) await device.install(order, 'active')
  }
  const fetching = new ScriptedDevice('fetching', p)
  p.clock.now = new Date(p.clock.now.getTime() + 1000)
  await chosenModel(context, CLASS, options, 'b')
  await fetching.join()
  for (const device of [there, online, fetching]) {
    const state = device === fetching ? 'downloading' : 'active'
    for (const order of await device.take('assign')) await device.install(order, state)
  }
  for (const device of [there, fetching]) await device.leave()

  const aborted = await RUN['rollout.abort']({ model: 'motor' }, call)
  const said = layOut(printAbort(aborted), undefined).text
  t.match(said, /^offline: fetching: gets nothing more; .*install all the same, and then says so$/m)
  t.match(said, /^offline: there: gets back what it ran before as soon as it appears$/m)
  t.match(said, /online +online.* reverting/)
})
