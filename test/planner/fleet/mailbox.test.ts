import t from 'tap'
import { Mailbox } from '../../../planner/fleet/mailbox.ts'

/** Tasks that end when the test says so. */
function tasks() {
  const begun: string[] = []
  const ends = new Map<string, (error?: Error) => void>()
  const task = (name: string) => () =>
    new Promise<void>((resolve, reject) => {
      begun.push(name)
      ends.set(name, (error) => (error ? reject(error) : resolve()))
    })
  const end = async (name: string, error?: Error) => {
    ends.get(name)?.(error)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { begun, task, end }
}

t.test(
  'reports go together; a birth waits for all before it, and all after it for the birth',
  async (t) => {
    const { begun, task, end } = tasks()
    const mailbox = new Mailbox(16, () => {})
    mailbox.post('together', task('r1'))
    mailbox.post('together', task('r2'))
    mailbox.post('alone', task('birth'))
    mailbox.post('together', task('r3'))
    mailbox.post('together', task('r4'))
    t.same(begun, ['r1', 'r2'])
    await end('r2')
    t.same(begun, ['r1', 'r2'], 'r1 is still under way')
    await end('r1')
    t.same(begun, ['r1', 'r2', 'birth'])
    await end('birth')
    t.same(begun, ['r1', 'r2', 'birth', 'r3', 'r4'])
    let isIdle = false
    const idle = mailbox.idle().then(() => {
      isIdle = true
    })
    await end('r4')
    t.notOk(isIdle)
    await end('r3')
    await idle
  },
)

t.test(
  'it is bounded by what waits and what is under way, and a failure keeps nobody back',
  async (t) => {
    const { begun, task, end } = tasks()
    const errors: unknown[] = []
    const mailbox = new Mailbox(2, (error) => errors.push(error))
    t.ok(mailbox.post('together', task('r1')))
    t.ok(mailbox.post('alone', task('birth')))
    t.notOk(mailbox.post('together', task('r2')), 'dropped: it comes again')
    await end('r1', new Error('disk full'))
    t.match(errors, [{ message: 'disk full' }])
    t.same(begun, ['r1', 'birth'])
    t.ok(mailbox.post('together', task('r2')))
    await end('birth')
    await end('r2')
    await mailbox.idle()
    t.same(begun, ['r1', 'birth', 'r2'])
  },
)
