import t from 'tap'
import {
  curveOf,
  curvePath,
  drawingOf,
  pixelsOf,
  SHADES,
  shadedMap,
} from '../../../planner/console/figures/sample-drawing.ts'

t.test('a shape says what its values are', async (t) => {
  const of = (shape: readonly number[]) =>
    drawingOf(
      shape.reduce((product, dim) => product * Math.abs(dim), 1),
      shape,
    )
  t.match(of([1, 32, 24, 3]), { kind: 'picture', width: 24, height: 32, channelsLast: true })
  t.match(of([-1, 3, 32, 24]), { kind: 'picture', width: 24, height: 32, channelsLast: false })
  t.match(of([1, 28, 28, 1]), { kind: 'picture', channels: 1 })
  t.match(of([1, 61, 40]), { kind: 'map', rows: 61, columns: 40 })
  t.match(of([1, 16_000]), { kind: 'curves', lines: 1, length: 16_000 })
  t.match(of([1, 128, 3]), { kind: 'curves', lines: 3, length: 128, interleaved: true })
  t.match(of([1, 3, 128]), { kind: 'curves', lines: 3, length: 128, interleaved: false })
  t.match(of([1, 6]), { kind: 'numbers' })
  t.match(of([1, 8, 8, 8, 2]), { kind: 'numbers' })
  t.match(drawingOf(500, [1, 32, 32, 3]), { kind: 'curves', length: 500 }, 'not of that shape')
  t.match(drawingOf(4, undefined), { kind: 'numbers' })
  t.match(drawingOf(0, [1, 0]), { kind: 'numbers' })
})

t.test('both orders of colours are one picture, scaled to what it holds', async (t) => {
  const [width, height] = [8, 9]
  const points = width * height
  const red = Array.from({ length: points }, (_, at) => at / points - 0.5)
  const last = red.flatMap((value) => [value, 0, -value])
  const first = [...red, ...red.map(() => 0), ...red.map((value) => -value)]
  const picture = { kind: 'picture', width, height, channels: 3 } as const
  const pixels = pixelsOf(last, { ...picture, channelsLast: true })
  t.same(pixels, pixelsOf(first, { ...picture, channelsLast: false }))
  t.same([...pixels.slice(0, 4)], [0, 128, 255, 255])
  const flat = pixelsOf(new Array(points).fill(7), {
    ...{ ...picture, channels: 1, channelsLast: true },
  })
  t.same([...flat.slice(0, 4)], [128, 128, 128, 255], 'of one value nothing is divided')
})

t.test('a curve keeps its peaks however long it is', async (t) => {
  const values = Array.from({ length: 10_000 }, (_, at) => (at === 5_003 ? 1 : 0))
  const path = curvePath(values, [0, 1], [100, 50])
  t.match(path, / 0\.0/, 'up to the top')
  t.equal(path.match(/L/g)?.length, 199)
  t.equal(curvePath([0, 1], [0, 1], [100, 50]), 'M0.0 50.0L100.0 0.0')
  const drawing = { kind: 'curves', lines: 2, length: 2, interleaved: true } as const
  t.same(curveOf([1, 2, 3, 4], drawing, 1), [2, 4])
  t.same(curveOf([1, 2, 3, 4], { ...drawing, interleaved: false }, 1), [3, 4])
})

t.test('of a map every cell has its shade, and the longer axis lies', async (t) => {
  const rows = 200
  const columns = 10
  const values = Array.from({ length: rows * columns }, (_, at) => Math.floor(at / columns))
  const map = shadedMap(values, { kind: 'map', rows, columns })
  t.match(map, { columns: 96, rows: 10 })
  t.equal(map.shades.length, SHADES)
  const cells = map.shades.map((path) => path.match(/M/g)?.length ?? 0)
  t.equal(
    cells.reduce((a, b) => a + b, 0),
    96 * 10 - 10,
    'all but the least',
  )
  t.match(map.shades.at(-1), /^M\d+ 0h1v1h-1z/)
})
