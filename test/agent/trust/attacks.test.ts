import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { Sources } from '../../../agent/trust/index.ts'
import { ATTACK_NAMES, type Offer } from '../../../shared/trust/index.ts'
import { ADDRESSEES } from './attacks/addressees.ts'
import { AGE } from './attacks/age.ts'
import { COMPANY } from './attacks/company.ts'
import { DELIVERY } from './attacks/delivery.ts'
import { SIGNERS } from './attacks/signers.ts'
import { NEWEST, openScene, type Scene } from './forge.ts'

const ROWS = [...DELIVERY, ...AGE, ...COMPANY, ...SIGNERS, ...ADDRESSEES]

for (const { attack, how, mount, setup, recover } of ROWS) {
  t.test(`${attack}: ${how}`, async (t) => {
    const scene = await openScene(t.testdir(), setup)
    const shown = await mount(scene)
    const before = await beliefs(scene)
    await t.rejects(verify(scene, shown), { name: 'TrustError', code: attack })
    t.strictSame(await beliefs(scene), before, 'what may be installed is what it was')
    // The attacker gone, the device goes on with the honest planner.
    scene.clock.set(new Date(Math.max(scene.clock.now().getTime(), scene.device.now().getTime())))
    await scene.authority.refresh()
    await recover?.(scene)
    if (attack !== 'wrong-class') {
      const { assignments } = await scene.device.verifyOffer(await scene.offer(100))
      t.match(assignments, [
        { model: 'ic01', variant: NEWEST.digest, artifact: { bytes: NEWEST.bytes } },
      ])
    }
  })
}

t.test('arbitrary-software: first roots that the device was not set up to believe', async (t) => {
  const folder = t.testdir()
  const scene = await openScene(join(folder, 'honest'))
  const other = await openScene(join(folder, 'other'))
  const dir = join(folder, 'new')
  const fresh = await scene.reopen({ dir })
  t.strictSame(await fresh.rootVersions(), { director: 0, image: 0 })
  const honest = await scene.offer(1)
  for (const name of ['director', 'image'] as const) {
    const mixed = { ...honest, [name]: (await other.offer(1))[name] }
    await t.rejects(fresh.verifyOffer(mixed), { code: 'arbitrary-software' })
    const { '1.root.json': _, ...files } = honest[name]
    await t.rejects(fresh.verifyOffer({ ...honest, [name]: files }), { code: 'drop-request' })
  }
  t.strictSame(await fresh.rootVersions(), { director: 0, image: 0 }, 'nothing was believed')
  t.match((await fresh.verifyOffer(honest)).assignments, [{ variant: NEWEST.digest }])
})

t.test('every attack has its rows, but eavesdropping, which TLS is for', async (t) => {
  const shown = new Set(ROWS.map(({ attack }) => attack))
  t.strictSame(
    ATTACK_NAMES.filter((name) => !shown.has(name)),
    ['eavesdrop'],
  )
})

t.test('metadata tells a reader nothing but names, digests and versions', async (t) => {
  const scene = await openScene(t.testdir())
  const text = JSON.stringify(await scene.offer(5))
  t.notMatch(text, 'PRIVATE KEY')
  for (const name of ['root', 'release', 'director', 'publisher']) {
    const { d } = (await scene.key(name)).privateKey.export({ format: 'jwk' })
    t.notOk(text.includes(d ?? '?'), `no private part of ${name}`)
    t.notOk(text.includes(Buffer.from(d ?? '?', 'base64url').toString('hex')))
  }
})

function verify(scene: Scene, shown: Offer | Sources) {
  const isOffer = typeof shown.director === 'object' && !('fetch' in shown.director)
  return isOffer ? scene.device.verifyOffer(shown as Offer) : scene.device.verify(shown as Sources)
}

/** What decides which variant may run from now on. */
async function beliefs(scene: Scene) {
  const state = await readFile(join(scene.deviceDir, 'state.json'), 'utf8').catch(() => '{}')
  const { counters = {} } = JSON.parse(state) as { counters?: Record<string, number> }
  return { counters, roots: await scene.device.rootVersions() }
}
