import t from 'tap'
import { readInvitationList } from '../../../../planner/cli/devices/invitation-list.ts'

const read = (text: string) => readInvitationList(text, 'fleet.csv')

t.test('a thousand lines; empty cells are no labels', (t) => {
  const lines = Array.from(
    { length: 1000 },
    (_, i) => `press-${i},hall-${i % 4},${i % 2 ? 'a' : ''}`,
  )
  const invited = read(`device,site,line\n${lines.join('\n')}\n`)
  t.equal(invited.length, 1000)
  t.same(invited[5], { device: 'press-5', labels: { site: 'hall-1', line: 'a' } })
  t.same(invited[4], { device: 'press-4', labels: { site: 'hall-0' } })
  t.end()
})

t.test('what spreadsheets write', (t) => {
  const text = '\uFEFFsite,"device",note\r\n"hall-2", press-7 ,"a:b"\r\n\r\nhall-2,"press-8",\r\n'
  t.same(read(text), [
    { device: 'press-7', labels: { site: 'hall-2', note: 'a:b' } },
    { device: 'press-8', labels: { site: 'hall-2' } },
  ])
  t.same(read('device\npress-1'), [{ device: 'press-1', labels: {} }])
  t.end()
})

t.test('every fault with its line, and nobody invited', (t) => {
  const rows: [string, RegExp][] = [
    ['', /fleet\.csv is empty: begin with a line "device,site"/],
    ['device,site\n', /has a head and no devices below it/],
    ['name,site\npress-1,a', /line 1: no column is called "device"; there are: name, site/],
    ['device,site,site\npress-1,a,b', /line 1: "site" is there twice/],
    ['device,class\npress-1,a', /line 1: class is what the fleet knows of a device by itself/],
    ['device,s ite\npress-1,a', /line 1: "s ite" is no label/],
    ['device,site\npress-1,a,b', /line 2: 3 columns, the head has 2/],
    ['device,site\npress 1,a', /line 2: "press 1" is no name of a device/],
    ['device,site\n,a', /line 2: "" is no name/],
    ['device,site\npress-1,a b', /line 2: "a b" in "site=a b" is no value of a label/],
    ['device,site\npress-1,a\n\npress-1,b', /line 4: press-1 is in line 2 already/],
    ['device,site\n"press\n1",a\npress 2,b', /line 2: .*; line 4: "press 2"/s],
    ['device,site\n"press-1,a\npress-2,b', /line 2: a quotation mark is never closed/],
  ]
  for (const [text, message] of rows) {
    t.throws(() => read(text), { code: 'usage', message }, JSON.stringify(text))
  }
  const many = `device\n${Array.from({ length: 30 }, (_, i) => `press ${i}`).join('\n')}`
  t.throws(() => read(many), { message: /line 9: .*; and 22 more\. Nobody was invited$/s })
  t.end()
})
