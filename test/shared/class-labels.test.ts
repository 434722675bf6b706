import t from 'tap'
import { parseClassLabels } from '../../shared/class-labels.ts'

t.test('a name to a line, whoever ended the lines', async (t) => {
  t.same(parseClassLabels('\uFEFFcat\r\ndog\r\n'), ['cat', 'dog'])
  t.same(parseClassLabels('0  tench\ngreat white shark'), ['0  tench', 'great white shark'])
})

t.test('what is no list of labels says where', async (t) => {
  const wrong = (text: string, message: RegExp) =>
    t.throws(() => parseClassLabels(text), { code: 'wrong-labels', message })
  wrong('', /no label/)
  wrong('cat\n\ndog\n', /line 2 is empty/)
  wrong(Buffer.from([0x50, 0x4b, 0x03, 0x04, 0xff, 0x0a]).toString('utf8'), /line 1 is not text/)
  wrong('x'.repeat(300), /longer than 256/)
  wrong('x\n'.repeat(70_000), /70000 lines; at most 65536/)
})
