import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { KeysView } from '../../../../planner/api/contract/views.ts'
import { audit } from '../../../../planner/storage/index.ts'
import { chosenModel } from '../../conductor/chosen-model.ts'
import { ScriptedDevice, settle } from '../../conductor/scripted-fleet.ts'
import { fitment } from '../run-fitment.ts'
import { running } from '../running-planner.ts'

const CLASS = 'raspberry-pi-4'

t.test('two of two release keys made elsewhere take the place of the one made here', async (t) => {
  const { data, planner } = await running(t)
  const here = ['--data', data]
  const file = (name: string) => join(data, name)
  const device = await new ScriptedDevice('d0', planner).join()
  await chosenModel(planner.conductor.context, CLASS)
  await settle(planner)
  const [order] = await device.take('assign')
  if (!order) throw new Error('nothing was ordered')
  await device.install(order, 'active')

  for (const name of ['ann', 'bob']) {
    const made = await fitment('keys', 'make', name, '--keys', file(name))
    t.match(made, { code: 0, out: /stays with you/ })
    t.strictSame(readdirSync(file(name)).sort(), [`${name}.key`, `${name}.pub`])
  }
  const pubs = `${file('ann/ann.pub')},${file('bob/bob.pub')}`
  t.match(await fitment('keys', 'rotate', 'release', '--threshold', '2', ...here), {
    code: 1,
    err: /error \[impossible-policy\]: targets: 2 of 1 keys cannot sign/,
  })
  const rotate = ['--add', pubs, '--remove', 'release', '--threshold', '2']
  t.match(await fitment('keys', 'rotate', 'release', ...rotate, ...here), {
    code: 1,
    out: /needs 2 signature\(s\) of the release keys/,
  })
  await fitment('keys', 'pending', ...here, '--out', file('root.json'))
  const sign = async (name: string) => {
    const out = file(`${name}.json`)
    await fitment('keys', 'sign', file('root.json'), '--keys', file(name), '--out', out)
    return fitment('keys', 'submit', out, ...here)
  }
  t.match(await sign('ann'), { code: 1, out: /needs 1 signature\(s\) of the release keys/ })
  t.match(await sign('bob'), { code: 0, out: /done: root 2 of the image repository/ })
  const { out } = await fitment('keys', 'list', ...here, '--json')
  const view: KeysView = JSON.parse(out)
  t.match(
    view.roles.find(({ repository, role }) => `${repository} ${role}` === 'image targets'),
    {
      threshold: 2,
      keys: ['ann', 'bob'],
    },
  )
  t.match(
    view.keys.find(({ name }) => name === 'ann'),
    { kept: 'elsewhere' },
  )
  t.match(
    view.keys.find(({ name }) => name === 'release'),
    { signs: [] },
  )

  await t.test('what was released stays, and a device behind follows', async (t) => {
    const late = await new ScriptedDevice('d1', planner).join()
    const [given] = await late.take('assign')
    t.ok(given)
    if (given) t.match(await planner.assignmentOf(given), { device: 'd1', releaseCounter: 1 })
  })
})

t.test('a director key made anew: published at once, as the root key lies here', async (t) => {
  const { data, planner } = await running(t)
  const here = ['--data', data]
  t.match(await fitment('keys', 'rotate', 'director', ...here), { code: 0, out: /root 2/ })
  const { out } = await fitment('keys', 'list', ...here, '--json')
  const view: KeysView = JSON.parse(out)
  t.strictSame(
    view.roles
      .filter(({ repository, role }) => repository === 'director' && role !== 'root')
      .map(({ keys }) => keys),
    [['director-2'], ['director-2'], ['director-2']],
  )
  const device = await new ScriptedDevice('d0', planner).join()
  await chosenModel(planner.conductor.context, CLASS)
  await settle(planner)
  const [order] = await device.take('assign')
  t.ok(order, 'it signs for devices')
  if (order) t.match(await planner.assignmentOf(order), { device: 'd0' })
  const [entry] = await audit.readAudit(planner.conductor.context.db, {
    limit: 1,
    subject: 'root 2 of the director repository',
  })
  t.match(entry, { action: 'keys.published', actor: /^cli:/ })
})

t.test('the root key itself: both repositories follow', async (t) => {
  const { data } = await running(t)
  const here = ['--data', data]
  await fitment('keys', 'make', 'root-b', '--keys', join(data, 'b'))
  const add = ['--add', join(data, 'b', 'root-b.pub')]
  t.match(await fitment('keys', 'rotate', 'root', ...add, ...here), {
    code: 0,
    out: /done: root 2 of the director repository\ndone: root 2 of the image repository/,
  })
  t.match(await fitment('keys', 'rotate', 'root', ...here), {
    code: 2,
    err: /--add, --remove or --threshold must be given/,
  })
  t.match(await fitment('keys', 'pending', ...here), { code: 0, out: /nothing waits/ })
})

t.test('another anchor is printed nowhere: what serve says is what keys anchor says', async (t) => {
  const { data, planner } = await running(t)
  const { out } = await fitment('keys', 'anchor', '--data', data)
  t.equal(out.trim(), planner.trust)
})
