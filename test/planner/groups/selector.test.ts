import t from 'tap'
import { requireMatches } from '../../../planner/groups/matching.ts'
import { matches, parseSelector, printSelector } from '../../../planner/groups/selector.ts'
import type { Subject } from '../../../planner/groups/subject.ts'
import { parseLabel } from '../../../shared/labels.ts'

const subject = (over: Partial<Subject> = {}): Subject => ({
  device: 'press-7',
  class: 'raspberry-pi-4+tflite.xnnpack-0a1b2c3d',
  online: true,
  agentVersion: '0.2.0',
  runtimes: ['litert', 'onnxruntime'],
  board: 'Raspberry Pi 4 Model B',
  labels: { site: 'hall-2', line: 'a' },
  ...over,
})

t.test('what a selector matches', (t) => {
  const rows: [string, boolean][] = [
    ['site=hall-2', true],
    ['site==hall-2', true],
    ['site=hall-1', false],
    ['site!=hall-1', true],
    ['site!=hall-2', false],
    ['shift!=night', true],
    ['shift=night', false],
    ['site in (hall-1, hall-2)', true],
    ['site notin (hall-1,hall-2)', false],
    ['site', true],
    ['!site', false],
    ['!shift', true],
    ['site=hall-2,line=a', true],
    ['site=hall-2 & line=b', false],
    ['site in (hall-1,hall-2),line=a', true],
    ['class=raspberry-pi-4', true],
    ['class=raspberry-pi-4+tflite.xnnpack-0a1b2c3d', true],
    ['class!=raspberry-pi-4', false],
    ['class=raspberry-pi-5', false],
    ['state=online', true],
    ['state!=online', false],
    ['device=press-7', true],
    ['device in (press-8,press-7)', true],
    ['agent=0.2.0', true],
    ['runtime=onnxruntime', true],
    ['runtime!=onnxruntime', false],
    ['runtime=tflite', false],
    ['board=Raspberry-Pi-4-Model-B', true],
    // Names that every object has are no labels.
    ['constructor', false],
    ['toString!=x', true],
  ]
  for (const [text, expected] of rows) {
    const selector = parseSelector(text)
    t.equal(matches(selector, subject()), expected, text)
    t.same(parseSelector(printSelector(selector)), selector, `${text} reads back`)
    t.same(parseSelector(printSelector(selector, '&')), selector, `${text} reads back by &`)
  }
  t.equal(matches(parseSelector('class=x'), subject({ class: null })), false)
  t.equal(matches([], subject()), true, 'no term: everybody')
  t.end()
})

t.test('what is no selector', (t) => {
  const rows: [string, RegExp][] = [
    ['', /a selector says which devices: write e\.g\./],
    [' , ', /a selector says which devices/],
    ['site=hall-2,', /an empty term in "site=hall-2,"/],
    ['site=', /"site=" in "site=" is no term/],
    ['=hall', /"=hall"/],
    ['site>3', /"site>3"/],
    ['site=hall 2', /"site=hall 2"/],
    ['site in hall-2', /"site in hall-2"/],
    ['site in ()', /"site in \(\)"/],
    ['site in (a,)', /"site in \(a,\)"/],
    ['site=a=b', /"site=a=b"/],
    ['!site=a', /"!site=a"/],
    ['state=onlin', /state is one of online, offline, never onlin/],
    ['state!=offlien', /never offlien/],
    ['-site', /"-site"/],
    [`site=${'x'.repeat(64)}`, /is no term/],
  ]
  for (const [text, message] of rows)
    t.throws(() => parseSelector(text), { code: 'usage', message })
  t.end()
})

t.test('nobody is a mistake that says where it lies', (t) => {
  const all = [subject(), subject({ device: 'press-8', labels: { site: 'hall-1' } })]
  const told = (text: string) => () => requireMatches(parseSelector(text), all)
  t.throws(told('site=hal-2'), {
    code: 'matches-nobody',
    message: '"site=hal-2" matches none of 2 devices: of site there are hall-1, hall-2',
  })
  t.throws(told('shift=night'), { message: /none has shift; fitment devices shows the labels/ })
  t.throws(told('site=hall-1,line=a'), { message: /each of its terms alone matches some/ })
  t.equal(requireMatches(parseSelector('site=hall-1'), all).length, 1)
  t.end()
})

t.test('labels', (t) => {
  t.same(parseLabel('site=hall-2'), ['site', 'hall-2'])
  t.same(parseLabel('floor=2/east:b'), ['floor', '2/east:b'])
  for (const [text, message] of [
    ['site', /"site" is no label: write KEY=VALUE/],
    ['=x', /is no label/],
    ['site=', /"" in "site=" is no value/],
    ['site=a b', /is no value of a label/],
    ['site=a,b', /is no value of a label/],
    ['class=x', /class is what the fleet knows of a device by itself/],
    ['site-=x', /is no label/],
  ] as const) {
    t.throws(() => parseLabel(text), { code: 'usage', message }, text)
  }
  t.end()
})
