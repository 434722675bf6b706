import type { Test } from 'tap'
import { variants } from '../../planner/storage/index.ts'
import { stateDirOf } from '../agent/device.ts'
import { goldenData, variantOf } from '../agent/golden.ts'
import { running } from '../planner/cli/running-planner.ts'
import { chosenModel } from '../planner/conductor/chosen-model.ts'
import { ScriptedDevice, settle } from '../planner/conductor/scripted-fleet.ts'
import { newModel } from '../planner/storage/sample.ts'

export const CLASS = 'raspberry-pi-4'

/** A planner whose model went well on the one device it has: a real model with golden data, signed by the release keys. */
export async function shippingPlanner(t: Test, { spoilt = false, bytes = 300_000 } = {}) {
  const { data, planner } = await running(t, { now: new Date() }, stateDirOf(t))
  const { context } = planner.conductor
  const device = await new ScriptedDevice('lab-1', planner).join()
  const { digest: selfTest } = await context.artifacts.put(await goldenData(spoilt))
  const files = [variantOf(bytes), variantOf(bytes)]
  const { wholeQuality, whole } = newModel.reference
  const waves = [{ share: 1 }]
  const model = await chosenModel(
    context,
    CLASS,
    { waves },
    'a',
    (_key, index) => files[index] ?? Buffer.alloc(1),
    async () => {
      const answers = { variant: 'small-a', whole: wholeQuality, slice: wholeQuality, selfTest }
      await variants.recordEvaluation(context.db, whole, answers, context.now())
    },
  )
  await settle(planner)
  const [order] = await device.take('assign')
  if (order === undefined) throw new Error('nothing was assigned')
  await device.install(order, 'downloading', 'verified', 'installed', 'active')
  await settle(planner)
  const variant = (await variants.findVariant(context.db, 'small-a'))?.digest ?? ''
  return { data, planner, model, variant, file: files[0] as Buffer }
}
