import t from 'tap'
import { digestOf } from '../../../../shared/digest.ts'
import { goldenData, variantOf } from '../../golden.ts'
import { bootedVariant, deviceWithVariant, runUntil, runUntilKilled } from '../../power.ts'

/** `.before` is left to the soak: a torn write is one that was not made, and harder. */
const MOMENTS = ['torn', 'after'] as const

function pointsOf(steps: readonly string[]): string[] {
  return steps.flatMap((step) => MOMENTS.map((moment) => `install.${step}.${moment}`))
}

/** Places between two writes, in the step that the write before them began. */
const BETWEEN: Readonly<Record<string, readonly string[]>> = {
  'install.installing.after': ['slot.drafted', 'slot.placed'],
  'install.switching.after': ['slot.previous.pointed', 'slot.current.pointed'],
}

t.test(
  'killed at every write of an installation, one after another: old or new, and at last new',
  async (t) => {
    const { driver, stateDir, old, assign } = await deviceWithVariant(t)
    const bytes = variantOf(400_000)
    const order = assign({ artifact: driver.offer(bytes), counter: 2 })
    const sentBefore = driver.blocksSent
    const steps = [
      'accepted',
      'downloading',
      'verifying',
      'installing',
      'waiting',
      'switching',
      'testing',
      'watching',
    ]
    const points = pointsOf(steps).flatMap((point) => [point, ...(BETWEEN[point] ?? [])])
    for (const point of [...points, 'install.active.torn']) {
      const { signal } = await runUntilKilled(driver, stateDir, point)
      t.equal(signal, 'SIGKILL', `killed at ${point}`)
      const booted = bootedVariant(stateDir)
      t.ok(booted === old || booted === digestOf(bytes), `boots a variant after ${point}`)
    }
    await runUntil(driver, stateDir, order.id, 'active')
    t.equal(bootedVariant(stateDir), digestOf(bytes))
    t.ok(driver.blocksSent - sentBefore <= 8 + 16, 'what was downloaded is not downloaded again')
  },
)

t.test('killed at every write of the way back: old at last', async (t) => {
  const { driver, stateDir, old, assign } = await deviceWithVariant(t)
  const selfTest = driver.offer(await goldenData(true))
  const order = assign({ artifact: driver.offer(variantOf()), counter: 2, selfTest })
  for (const point of [...pointsOf(['rolling-back']), 'install.rolled-back.torn']) {
    const { signal } = await runUntilKilled(driver, stateDir, point)
    t.equal(signal, 'SIGKILL', `killed at ${point}`)
    bootedVariant(stateDir)
  }
  await runUntil(driver, stateDir, order.id, 'rolled-back')
  t.equal(bootedVariant(stateDir), old)
})
