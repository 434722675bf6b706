import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readArrays } from '../../../shared/dataset/npz.ts'
import { formatNpz, writeNpz } from '../../../shared/dataset/write-npz.ts'
import { fromHalf, halvesOf, toHalf } from '../../../shared/half.ts'
import { ARRAY_OF, type ElementType, type Tensor } from '../../../shared/tensors.ts'

const fixture = (name: string) => join(process.cwd(), 'test', 'fixtures', 'datasets', name)

/** As generate.py has them. */
const VALUES: Readonly<Record<string, readonly (number | bigint)[]>> = {
  bool: [1, 0, 1, 0, 0, 1],
  int8: [1, -2, 127, -128, 0, 5],
  uint8: [1, 254, 127, 128, 0, 5],
  int16: [1, -2, 32767, -32768, 0, 5],
  uint16: [1, 2, 65535, 32768, 0, 5],
  int32: [1, -2, 2 ** 31 - 1, -(2 ** 31), 0, 5],
  uint32: [1, 2, 2 ** 32 - 1, 2 ** 31, 0, 5],
  int64: [1n, -2n, 2n ** 62n, -(2n ** 63n), 0n, 5n],
  uint64: [1n, 2n, 2n ** 64n - 1n, 2n ** 63n, 0n, 5n],
  float32: [1, -2, Math.fround(3e38), 2 ** -149, 0, Math.fround(0.333)],
  float64: [1, -2, 1e308, 5e-324, 0, 0.333],
}

for (const file of ['types.npz', 'types-compressed.npz'])
  t.test(`${file} has every type`, async (t) => {
    const arrays = await readArrays(fixture(file))
    for (const [type, values] of Object.entries(VALUES)) {
      const array = arrays.get(type)
      t.equal(array?.type, type)
      t.same(array?.shape, [2, 3])
      t.same([...(array?.data ?? [])], values, type)
    }
    const halves = [...(arrays.get('float16')?.data ?? [])].map(Number).map(fromHalf)
    t.same(halves, [1, -2, 65504, 2 ** -24, 0, 0.3330078125])
  })

t.test('orders of memory and bytes', async (t) => {
  const arrays = await readArrays(fixture('orders.npz'))
  const counting = Array.from({ length: 24 }, (_, i) => i)
  t.same([...(arrays.get('fortran')?.data ?? [])], counting)
  t.same([...(arrays.get('big')?.data ?? [])], counting)
  t.same(arrays.get('vector')?.shape, [3])
  t.same(arrays.get('scalar')?.shape, [])
})

t.test('versions of .npy, under the name x', async (t) => {
  for (const version of [1, 2, 3]) {
    const arrays = await readArrays(fixture(`version-${version}.npy`))
    t.same(arrays.get('x')?.shape, [2, 3, 4])
    t.equal(arrays.get('x')?.data[23], 23)
  }
})

t.test('refuses what runs code or is no number', async (t) => {
  const refused = { 'objects.npz': 'object-array', 'structured.npz': 'object-array' }
  for (const [file, code] of Object.entries({
    ...refused,
    'text.npz': 'unknown-type',
    'complex.npz': 'unknown-type',
  }))
    await t.rejects(readArrays(fixture(file)), { name: 'DatasetError', code })
})

t.test('damaged, cut, missing and hostile files', async (t) => {
  const dir = t.testdir({ text: 'not an archive at all', empty: '' })
  const refuses = (path: string, code: string, options = {}) =>
    t.rejects(readArrays(path, options), { name: 'DatasetError', code, message: /^[^\n]+$/ }, path)
  await refuses(join(dir, 'absent.npz'), 'unreadable')
  await refuses(dir, 'corrupt')
  await refuses(join(dir, 'text'), 'corrupt')
  await refuses(join(dir, 'empty'), 'corrupt')
  await refuses(fixture('types.npz'), 'too-large', { maxArrayBytes: 100 })
  const good = readFileSync(fixture('types.npz'))
  for (const length of [10, 200, good.length - 5]) {
    const path = join(dir, `cut-${length}`)
    writeFileSync(path, good)
    truncateSync(path, length)
    await refuses(path, 'corrupt')
  }
  // One flipped bit in the middle of stored data: only the checksum can tell.
  const flipped = Buffer.from(good)
  flipped[good.indexOf('NUMPY') + 130] = (flipped[good.indexOf('NUMPY') + 130] ?? 0) ^ 1
  writeFileSync(join(dir, 'flipped'), flipped)
  await refuses(join(dir, 'flipped'), 'corrupt')
  // A member that claims to be small and inflates without end is stopped at its claim.
  const bomb = Buffer.from(formatNpz([['x', vector('uint8', new Uint8Array(1e6))]]))
  bomb.writeUInt32LE(100, bomb.indexOf(Buffer.from([0x50, 0x4b, 1, 2])) + 24)
  writeFileSync(join(dir, 'bomb'), bomb)
  await refuses(join(dir, 'bomb'), 'corrupt')
})

t.test('no mutation of a good file crashes or hangs the reader', async (t) => {
  const good = readFileSync(fixture('types-compressed.npz'))
  const path = join(t.testdir(), 'mutated.npz')
  let state = 12345
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return state % below
  }
  let refused = 0
  for (let round = 0; round < 300; round++) {
    const bytes = Buffer.from(good)
    for (let i = 0; i < 3; i++) bytes[random(bytes.length)] = random(256)
    writeFileSync(path, bytes)
    await readArrays(path, { maxArrayBytes: 1e6 }).catch((error: Error) => {
      refused += 1
      if (error.name !== 'DatasetError') t.fail(`${error.name}: ${error.message}`)
    })
  }
  t.ok(refused > 100, `${refused} of 300 refused`)
})

t.test(
  'a directory longer than the file, by gigabytes: refused before a byte is made room for',
  async (t) => {
    const path = join(t.testdir(), 'long.npz')
    const bytes = Buffer.from(formatNpz([['x', vector('float32', new Float32Array(8))]]))
    for (const length of [0x90000000, 0xfffffffe]) {
      bytes.writeUInt32LE(length, bytes.length - 22 + 12)
      writeFileSync(path, bytes)
      await t.rejects(readArrays(path), { name: 'DatasetError', code: 'corrupt' })
    }
  },
)

t.test('what we write, we read, in equal bytes each time', async (t) => {
  const arrays: [string, Tensor][] = Object.entries(VALUES).map(([type, values]) => [
    type,
    vector(
      type as ElementType,
      (ARRAY_OF[type as ElementType] as Int32ArrayConstructor).from(values as number[]),
    ),
  ])
  const path = join(t.testdir(), 'out.npz')
  await writeNpz(path, arrays)
  const back = await readArrays(path)
  for (const [name, array] of arrays) t.same(back.get(name), array)
  t.same(formatNpz(arrays), readFileSync(path))
})

t.test('every half survives a round trip, and rounding is to even', (t) => {
  let wrong = 0
  for (let bits = 0; bits < 0x10000; bits++) {
    const value = fromHalf(bits)
    if (!Number.isNaN(value) && toHalf(value) !== bits) wrong += 1
  }
  t.equal(wrong, 0)
  t.equal(toHalf(Number.NaN), 0x7e00)
  t.equal(toHalf(65519.99), 0x7bff)
  t.equal(toHalf(65520), 0x7c00)
  t.equal(toHalf(2049), 0x6800, '2049 lies between 2048 and 2050')
  t.equal(toHalf(2051), 0x6802, '2051 lies between 2050 and 2052')
  t.equal(toHalf(1.5 * 2 ** -24), 2)
  t.end()
})

t.test('many halves at once are each the same', async (t) => {
  const values = new Float32Array(
    new Uint32Array(2 ** 16).map((_, i) => i * 65521 + (i % 7)).buffer,
  )
  const expected = Array.from(values, (value) => {
    const bounded = Math.min(65504, Math.max(-65504, value))
    return toHalf(Number.isFinite(value) ? bounded : value)
  })
  t.same([...halvesOf(values, 65504)], expected)
  t.same([...halvesOf(Float32Array.of(2049, 2051, -1e9, 1e-9), 65504)], [0x6800, 0x6802, 0xfbff, 0])
})

function vector(type: ElementType, data: Tensor['data']): Tensor {
  return { type, shape: [data.length], data }
}
