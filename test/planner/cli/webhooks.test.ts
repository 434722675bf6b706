import t from 'tap'
import { fitment } from './run-fitment.ts'
import { running } from './running-planner.ts'

t.test(
  'who is told of events is added, listed and removed, and mistakes are one line',
  async (t) => {
    const { data } = await running(t)
    const run = (...words: string[]) => fitment('webhooks', ...words, '--data', data)
    t.match(await run('list'), { code: 0, out: 'nobody is told of events\n' })
    const kinds = ['--kinds', 'alarm.raised,rollout.moved']
    const added = await run('add', 'chat', 'https://chat.example/hook', ...kinds)
    t.match(added, { code: 0, out: /^whsec_[\w+/=]{44}\n/ })
    t.match(await run('list'), {
      code: 0,
      out: /chat\s+https:\/\/chat.example\/hook\s+alarm.raised/,
    })
    t.match(await run('add', 'chat', 'https://chat.example/hook'), {
      code: 1,
      err: /\[webhook-exists\].* --data /,
    })
    t.match(await run('add', 'x', 'http://chat.example/'), {
      code: 1,
      err: /\[bad-address\].*no TLS/,
    })
    t.match(await run('add', 'x', 'https://chat.example/', '--kinds', 'all'), {
      code: 2,
      err: /"all" is no kind of event: device.joined/,
    })
    t.match(await run('dead', 'chat'), { code: 0, out: 'nothing was given up\n' })
    t.match(await run('retry', 'chat'), { code: 0, out: /nothing of chat was given up/ })
    t.match(await run('retry', '17'), { code: 1, err: /\[unknown-delivery\]/ })
    t.match(await run('remove', 'chat'), { code: 0, out: 'chat is told no more\n' })
    t.match(await run('remove', 'chat'), { code: 1, err: /\[unknown-webhook\]/ })
  },
)
