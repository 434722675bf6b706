import t from 'tap'
import { oneLine, UsageError } from '../../shared/errors.ts'

t.test('a message is one line, whatever a file put into it', async (t) => {
  t.equal(oneLine('first\n  second\r\nthird\u2028fourth'), 'first second third fourth')
  t.equal(oneLine('\u001b[31mred\u0007'), '\\u001b[31mred\\u0007')
  t.equal(oneLine('größer als 漢 "quoted" \\'), 'größer als 漢 "quoted" \\')
  t.equal(new UsageError('tensor "a\nb"').message, 'tensor "a b"')
})
