import t from 'tap'
import { writeOnnx } from '../../../../planner/formats/onnx/index.ts'
import { quantizableOnnx } from '../../../../planner/formats/onnx/quantizable.ts'
import { linksOf } from '../../../../planner/graph/links.ts'
import { costsFrom } from '../../../../planner/quantizer/mixed-precision/costs.ts'
import { decide } from '../../../../planner/quantizer/mixed-precision/decide.ts'
import { FlowNetwork } from '../../../../planner/quantizer/mixed-precision/minimum-cut.ts'
import { type Mixable, proposals } from '../../../../planner/quantizer/mixed-precision/propose.ts'
import { TARGETS } from '../../../../planner/targets/index.ts'
import type { KernelCosts } from '../../../../planner/targets/kernel-costs.ts'
import { onnxruntimeCosts } from '../../../../planner/targets/kernels/onnxruntime-costs.ts'
import { quantize, searchMixed } from '../../../../planner/variants/quantizer.ts'
import { toDataset } from '../../../../shared/dataset/index.ts'
import { parseScheme, printScheme } from '../../../../shared/schemes.ts'
import type { Tensor } from '../../../../shared/tensors.ts'
import { randomFrom } from '../../formats/onnx/import/one-operator.ts'
import { type SmallOnnx, smallOnnx } from '../../formats/onnx/small-onnx.ts'

/** A narrow beginning, as image models have it, and a wide rest. */
const CHAIN: SmallOnnx = {
  inputs: { x: [1, 3, 16, 16] },
  outputs: ['d'],
  constants: { w0: [8, 3, 3, 3], w1: [8, 1, 3, 3], w2: [64, 8, 1, 1], w3: [64, 64, 3, 3] },
  rows: [
    ['Conv', ['x', 'w0'], ['a']],
    ['Relu', ['a'], ['a+']],
    ['Conv', ['a+', 'w1'], ['b'], { group: ['int', 8n] }],
    ['Conv', ['b', 'w2'], ['c']],
    ['Relu', ['c'], ['c+']],
    ['Conv', ['c+', 'w3'], ['d'], { pads: ['ints', [1n, 1n, 1n, 1n]] }],
  ],
}

const bytesOf = (spec: SmallOnnx) => writeOnnx(smallOnnx(spec))

async function mixable(spec: SmallOnnx): Promise<Mixable> {
  const { graph } = await quantizableOnnx.open(bytesOf(spec), {
    sources: 'keep',
    forIntegers: true,
  })
  const integer = new Set(graph.operators.map(({ id }) => id))
  return { graph, links: linksOf(graph), facts: TARGETS.onnxruntime.kernels, integer }
}

function namesOf({ graph }: Mixable, float: ReadonlySet<number>): string[] {
  return [...float].map((id) => graph.operators[id]?.name ?? '').sort()
}

/** By name: µs in float, and on integers. */
function costs(model: Mixable, table: Record<string, [number, number]>, us = 1): KernelCosts {
  const of = (which: 0 | 1) =>
    new Map(
      model.graph.operators.flatMap(({ id, name }) =>
        table[name] ? [[id, table[name][which]] as const] : [],
      ),
    )
  return { float: of(0), integer: of(1), border: { us, usPerElement: 0 } }
}

t.test('a minimum cut costs what the best of all divisions costs', async (t) => {
  const random = randomFrom(7)
  const places = 7
  for (let turn = 0; turn < 60; turn += 1) {
    const pipes = Array.from({ length: 16 }, () => ({
      from: Math.floor(random() * places),
      to: Math.floor(random() * places),
      capacity: Math.floor(random() * 10),
    })).filter(({ from, to }) => from !== to)
    const priceOf = (side: (place: number) => boolean) =>
      pipes.reduce(
        (sum, { from, to, capacity }) => sum + (side(from) && !side(to) ? capacity : 0),
        0,
      )
    const network = new FlowNetwork()
    for (const { from, to, capacity } of pipes) network.pipe(from, to, capacity)
    const cut = network.sourceSide(0, places - 1)
    t.ok(cut.has(0) && !cut.has(places - 1))
    let best = Number.POSITIVE_INFINITY
    for (let mask = 0; mask < 2 ** places; mask += 1) {
      const side = (place: number) => ((mask >> place) & 1) === 1
      if (side(0) && !side(places - 1)) best = Math.min(best, priceOf(side))
    }
    t.equal(
      priceOf((place) => cut.has(place)),
      best,
    )
  }
})

t.test('operators go back to float where that wins with the borders paid', async (t) => {
  const model = await mixable(CHAIN)
  const first = (table: Record<string, [number, number]>, us?: number) => {
    const [best] = proposals(model, costs(model, table, us))
    return best && namesOf(model, best.float)
  }
  const wide = { 'c+': [9, 4], d: [30, 10] } as const satisfies Record<string, [number, number]>
  t.same(first({ 'a+': [10, 30], b: [5, 15], ...wide }), ['a+', 'b'])
  t.same(first({ 'a+': [10, 30], b: [15, 5], ...wide }), ['a+'])
  t.equal(first({ 'a+': [30, 10], b: [15, 5], ...wide }), undefined, 'integers win everywhere')
  t.equal(
    first({ 'a+': [10, 11], b: [5, 5.5], ...wide }, 40),
    undefined,
    'two borders cost more than they give',
  )
  const cheap = { 'a+': [10, 30], b: [6, 5], 'c+': [9, 12], d: [30, 10] } as const
  t.same(
    first(cheap as never),
    ['a+', 'b', 'c+'],
    'what lies between two float ones stays with them',
  )
})

t.test('what one kernel does in float goes one way', async (t) => {
  const rows: SmallOnnx['rows'] = [...CHAIN.rows, ['Add', ['d', 'c+'], ['y']]]
  const model = await mixable({ ...CHAIN, outputs: ['y'], rows })
  // The runtime adds within the convolution's kernel: the addition has no time of its own in float.
  const table = { 'a+': [1, 9], b: [5, 4], 'c+': [9, 4], d: [20, 19] } as const
  const prices = costs(model, table as never, 0.1)
  const added = model.graph.operators.find(({ name }) => name === 'y')?.id ?? -1
  const integer = new Map([...prices.integer, [added, 3]])
  const found = proposals(model, { ...prices, integer })
  t.ok(found.length > 0)
  for (const { float } of found) {
    const names = namesOf(model, float)
    t.equal(names.includes('d'), names.includes('y'), names.join())
  }
})

t.test('before anyone measures, kernels for few channels are known to lose on x86', async (t) => {
  const model = await mixable({ ...CHAIN, inputs: { x: [1, 3, 96, 96] } })
  const [x86] = proposals(model, onnxruntimeCosts(model.graph, 'uint8'))
  t.same(namesOf(model, x86?.float ?? new Set()), ['a+', 'b'])
  const [arm] = proposals(model, onnxruntimeCosts(model.graph, 'int8'))
  t.same(namesOf(model, arm?.float ?? new Set()), ['a+'], 'depthwise kernels are fast there')
})

t.test('of several profiles the quietest counts, operator by operator', async (t) => {
  const profile = (a: number, b: number, conversion: number) => ({
    operators: new Map([
      [0, a],
      [1, b],
    ]),
    conversions: [{ elements: 10_000, us: conversion }],
    leastUs: 2,
  })
  const { float, integer, border } = costsFrom(
    [profile(5, 90, 4), profile(7, 9, 9)],
    [profile(50, 3, 6), profile(4, 8, 40)],
  )
  t.same([...float.values()], [5, 9])
  t.same([...integer.values()], [4, 3])
  t.same(border, { us: 4, usPerElement: 2 * (4 / 10_000) })
})

t.test('nothing that is slower than float32 is a choice', async (t) => {
  const form = (ratio: number, ...inFloat: string[]) => ({ ratio, inFloat })
  const rows: [Parameters<typeof decide>[0], number | null, RegExp][] = [
    [[form(0.6)], 0, /takes 0.60× the time of float32 here, and no operator is worth leaving/],
    [[form(1.29)], null, /takes 1.29×/],
    [[form(1.29), form(1.06, 'a')], null, /the best of 1 mixed form takes 1.06×/],
    [[form(1.01), form(0.8, 'a', 'b'), form(0.71, 'a')], 2, /with 1 operator in float it is 0.71×/],
    [[form(0.9), form(0.89, 'a')], 0, /0.90×.*0.89×/],
    [[form(1.29), form(0.99, 'a')], 1, /0.99×/],
  ]
  for (const [forms, ship, why] of rows) {
    const decision = decide(forms)
    t.equal(decision.ship, ship, decision.why)
    t.match(decision.why, why)
  }
})

t.test(
  'the search measures real files, and hands over one that is no slower than float32',
  async (t) => {
    const model = bytesOf(CHAIN)
    const data = Float32Array.from({ length: 12 * 768 }, (_, i) => Math.sin(i * i))
    const x: Tensor = { type: 'float32', shape: [12, 3, 16, 16], data }
    const calibration = toDataset(new Map([['x', x]]), 'noise')
    const request = {
      model,
      target: 'onnxruntime',
      calibration,
      scheme: parseScheme('static-w8a8-u8s8'),
    } as const
    const integer = await quantize(request)
    const { result, report } = await searchMixed(request, integer, 300)
    const { ship, why } = report.decision
    t.ok(report.forms.every(({ ratio }) => ratio > 0))
    t.match(why, /everything on integers takes \d+\.\d\d× the time of float32 here/)
    t.equal(result === null, ship === null)
    const mixed = ship !== null && ship > 0
    if (result) t.equal(printScheme(result.scheme), `static-w8a8-u8s8${mixed ? '-mixed' : ''}`)
  },
)

t.test('the profile of each file is told by operators of the graph', async (t) => {
  const model = await quantizableOnnx.open(bytesOf(CHAIN), { sources: 'keep', forIntegers: true })
  const data = Float32Array.from({ length: 768 }, (_, i) => Math.sin(i))
  const inputs = { x: { type: 'float32', shape: [1, 3, 16, 16], data } } as const
  const floats = model.perform({
    instructions: [],
    findings: [],
    operators: { total: 0, integer: 0, float: 0 },
  })
  const names = model.graph.operators.map(({ name }) => name)
  t.same(names, ['a+', 'b', 'c+', 'd'])
  const times = await model.times?.(floats, inputs, 10)
  t.same([...(times?.operators.keys() ?? [])].sort(), [0, 1, 2, 3])
  t.ok([...(times?.operators.values() ?? [])].every((us) => us >= 0))
})
