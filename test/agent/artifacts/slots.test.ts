import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type NewSlot, Slots } from '../../../agent/artifacts/index.ts'
import { digestOf } from '../../../shared/digest.ts'
import { installedModelOf } from './installed-model.ts'

function setUp(t: Test) {
  const root = t.testdir()
  const slots = new Slots(join(root, 'slots'))
  const install = async (bytes: Buffer = randomBytes(1000)): Promise<string> => {
    const file = join(root, digestOf(bytes))
    writeFileSync(file, bytes)
    await slots.install(slotOf(bytes), installedModelOf(digestOf(bytes)), file)
    return digestOf(bytes)
  }
  return { root, slots, install }
}

function slotOf(bytes: Buffer): NewSlot {
  return {
    v: 1,
    model: 'motor',
    variant: digestOf(bytes),
    bytes: bytes.length,
    runtime: 'onnxruntime',
    scheme: 'static-w8a8',
    class: 'x86-64-vnni',
    revision: null,
    counter: 3,
    installedAt: new Date().toISOString(),
  }
}

t.test('a slot holds the model under its format and says what it is', async (t) => {
  const { root, slots, install } = setUp(t)
  const bytes = randomBytes(1000)
  const variant = await install(bytes)
  const directory = join(root, 'slots', 'motor', variant)
  t.same(new Set(readdirSync(directory)), new Set(['model.json', 'model.onnx', 'slot.json']))
  t.same(JSON.parse(readFileSync(join(directory, 'slot.json'), 'utf8')).scheme, 'static-w8a8')
  t.equal(await slots.locate(variant), join(directory, 'model.onnx'))
  t.equal(await install(bytes), variant, 'again is harmless')
})

t.test('switching keeps the way back, and restoring goes it', async (t) => {
  const { slots, install } = setUp(t)
  const [a, b, c] = [await install(), await install(), await install()]
  await slots.switchTo('motor', a)
  t.same(await slots.links('motor'), { current: a, previous: null })
  await slots.switchTo('motor', b)
  const before = await slots.links('motor')
  t.same(before, { current: b, previous: a })
  await slots.switchTo('motor', c)
  await slots.switchTo('motor', c)
  t.same(await slots.links('motor'), { current: c, previous: b }, 'twice is once')
  await slots.restore('motor', before)
  t.same(await slots.links('motor'), before)
  await slots.collect('motor')
  t.same(new Set(await slots.variants('motor')), new Set([a, b]))
})

t.test('the link is never pointed at a variant that is not there', async (t) => {
  const { slots, install } = setUp(t)
  const good = await install()
  await slots.switchTo('motor', good)
  await t.rejects(slots.switchTo('motor', 'f'.repeat(64)), { code: 'slot-missing' })
  t.equal((await slots.links('motor')).current, good)
  await slots.remove('motor', good)
  t.ok(await slots.isGood('motor', good), 'nor is the current variant removed')
})

t.test('a variant whose bytes changed is not good', async (t) => {
  const { slots, install } = setUp(t)
  const variant = await install()
  t.ok(await slots.isGood('motor', variant))
  writeFileSync((await slots.file('motor', variant)) as string, 'rust')
  t.notOk(await slots.isGood('motor', variant))
  t.notOk(await slots.isGood('motor', 'e'.repeat(64)))
})

t.test('drafts that a power cut left are collected, strangers are not', async (t) => {
  const { root, slots, install } = setUp(t)
  const variant = await install()
  await slots.switchTo('motor', variant)
  const model = join(root, 'slots', 'motor')
  mkdirSync(join(model, `${'a'.repeat(64)}.new`))
  writeFileSync(join(model, 'notes.txt'), 'mine')
  await slots.collect('motor')
  t.same(new Set(readdirSync(model)), new Set([variant, 'current', 'notes.txt']))
})

t.test('a spare copy shares no bytes with its slot, mends it, and goes with it', async (t) => {
  const { root, slots, install } = setUp(t)
  const a = await install()
  await slots.switchTo('motor', a)
  t.notOk(await slots.mend('motor', a), 'there is none yet')
  await slots.keepSpare('motor', a)
  await slots.keepSpare('motor', a)
  await slots.collect('motor')
  writeFileSync((await slots.file('motor', a)) as string, 'rust')
  t.ok(await slots.mend('motor', a))
  t.ok(await slots.isGood('motor', a))
  await slots.keepSpare('motor', a)
  t.equal(await slots.previousBytes(), 1000 + jsonBytes(root, a), 'given up where room is short')
  await slots.dropPrevious()
  t.notOk(await slots.mend('motor', a))

  await slots.keepSpare('motor', a)
  const b = await install()
  await slots.switchTo('motor', b)
  await slots.collect('motor')
  t.same(new Set(readdirSync(join(root, 'slots', 'motor'))), new Set([a, b, 'current', 'previous']))
})

function jsonBytes(root: string, variant: string): number {
  const sizes = ['slot.json', 'model.json'].map(
    (name) => statSync(join(root, 'slots', 'motor', variant, name)).size,
  )
  return sizes.reduce((sum, size) => sum + size)
}
