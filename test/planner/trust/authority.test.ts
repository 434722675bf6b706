import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { DeviceTrust } from '../../../agent/trust/index.ts'
import {
  type KeyPlan,
  KeyRing,
  missingSignatures,
  parseBatch,
  parseBatchSignatures,
  signBatch,
  TrustAuthority,
} from '../../../planner/trust/index.ts'
import {
  anchorDigest,
  offerSchema,
  parseAnchor,
  printAnchor,
  tufKeyId,
} from '../../../shared/trust/index.ts'
import {
  adopt,
  directed,
  NEWEST,
  OLDER,
  publish,
  replaced,
  SCRYPT,
  TestClock,
} from '../../agent/trust/forge.ts'

const TWO_OF_THREE: KeyPlan = {
  root: { keys: ['root-a', 'root-b', 'root-c'], threshold: 2 },
  release: { keys: ['release-a', 'release-b', 'release-c'], threshold: 2 },
  director: { keys: ['director'], threshold: 1 },
  publisher: { keys: ['publisher'], threshold: 1 },
}
const OFFLINE = [...TWO_OF_THREE.root.keys, ...TWO_OF_THREE.release.keys]

const newAuthority = (dir: string, clock = new TestClock()) =>
  new TrustAuthority({ dir, now: clock.now, scrypt: SCRYPT })
const since = { director: 0, image: 0 }

async function deviceOf(dir: string, authority: TrustAuthority, clock = new TestClock()) {
  const first = parseAnchor(printAnchor(await authority.anchor()))
  await adopt(dir, first)
  const anchor = anchorDigest(first)
  return DeviceTrust.open({
    dir,
    device: 'dev1',
    class: 'pi4',
    runtimes: ['litert'],
    anchor,
    clock,
  })
}

t.test('2 of 3 release keys on other machines: export, sign there, import', async (t) => {
  const dir = t.testdir()
  const authority = newAuthority(join(dir, 'planner'))
  await publish(authority, await authority.init(TWO_OF_THREE))
  // Each key moves to a machine of its own: here, a ring in a folder of its own.
  for (const name of OFFLINE) await authority.keys.dropSecret(name)
  t.match(
    (await authority.keys.list()).filter(({ kept }) => kept === 'plain').map(({ name }) => name),
    ['director', 'publisher'],
  )
  const drafted = await authority.release({ ic01: [NEWEST] })
  const signedHere = await authority.sign(drafted)
  t.ok(signedHere.requests.every((request) => missingSignatures(request)[0]?.missing === 2))
  await t.rejects(authority.publish(signedHere), { code: 'threshold-not-met' })
})

t.test(
  'signatures that came from elsewhere count, up to the threshold and no sooner',
  async (t) => {
    const dir = t.testdir()
    const home = newAuthority(join(dir, 'planner'))
    // The offline keys are made on the offline machine; home learns their public parts only.
    const offline = new KeyRing(join(dir, 'offline'), SCRYPT)
    for (const name of OFFLINE) {
      const key = await offline.generate(name, `passphrase of ${name}`)
      await home.keys.add(name, key.trusted)
    }
    const ask = async (name: string) => `passphrase of ${name}`
    const signAway = async (text: string, names: readonly string[]) => {
      const batch = parseBatch(text)
      const ids = await Promise.all(
        names.map(async (name) => tufKeyId(await offline.publicKey(name))),
      )
      return JSON.stringify(signBatch(batch, await offline.openThose(ids, ask)))
    }
    const init = await home.init(TWO_OF_THREE)
    t.equal(await home.isInitialised(), false)
    const exported = JSON.stringify(init)
    const one = await home.add(
      init,
      parseBatchSignatures(await signAway(exported, ['root-a', 'release-a'])),
    )
    await t.rejects(home.publish(one), { code: 'threshold-not-met' })
    const two = await home.add(
      one,
      parseBatchSignatures(await signAway(exported, ['root-c', 'release-b'])),
    )
    await home.publish(two)
    t.equal(await home.isInitialised(), true)
    t.strictSame(await home.pending(), [])

    const release = await home.release({ ic01: [NEWEST] })
    const text = JSON.stringify(release)
    const came = parseBatchSignatures(await signAway(text, ['release-b', 'release-c']))
    // Not the same key twice, not a stranger's, not another batch's.
    const [bundle] = came.signatures
    const bent = {
      ...came,
      signatures: came.signatures.map((entry) => ({
        ...entry,
        signatures: entry.signatures.map(({ keyid }) => ({ keyid, sig: '00'.repeat(64) })),
      })),
    }
    await t.rejects(home.add(release, bent), { code: 'bad-signature' })
    await t.rejects(home.add(release, { ...came, batch: 'another' }), { code: 'malformed-request' })
    t.equal(bundle?.signatures.length, 2)
    await home.publish(await home.add(release, came))
    const device = await deviceOf(join(dir, 'device'), home)
    const offer = await home.offer(
      { device: 'dev1', version: 1, variants: [directed(NEWEST)] },
      since,
    )
    t.match((await device.verifyOffer(offer)).assignments, [{ variant: NEWEST.digest }])
  },
)

t.test(
  'root rotation: signed by the old threshold and the new one, followed by devices far behind',
  async (t) => {
    const dir = t.testdir()
    const authority = newAuthority(join(dir, 'planner'))
    await publish(authority, await authority.init())
    await publish(authority, await authority.release({ ic01: [NEWEST] }))
    const early = await deviceOf(join(dir, 'early'), authority)
    const late = await deviceOf(join(dir, 'late'), authority)
    const direction = (version: number) => ({
      device: 'dev1',
      version,
      variants: [directed(NEWEST)],
    })
    await early.verifyOffer(await authority.offer(direction(1), since))

    const change = await replaced(authority, 'root')
    const batch = await authority.rotate('director', { root: change })
    t.equal(batch.requests[0]?.requirements.length, 2)
    await publish(authority, batch)
    const second = await authority.keys.generate('root-second')
    await publish(
      authority,
      await authority.rotate('director', { root: { add: [second.trusted], threshold: 2 } }),
    )
    await publish(authority, await authority.rotate('image', { root: { add: [second.trusted] } }))

    const roots = await early.rootVersions()
    t.strictSame(roots, { director: 1, image: 1 })
    const offer = await authority.offer(direction(2), roots)
    t.strictSame(
      Object.keys(offer.director).filter((name) => name.endsWith('root.json')),
      ['2.root.json', '3.root.json'],
    )
    for (const device of [early, late]) {
      await device.verifyOffer(offer)
      t.strictSame(await device.rootVersions(), { director: 3, image: 2 })
    }
  },
)

t.test('new release keys: everything released is signed anew in the same batch', async (t) => {
  const dir = t.testdir()
  const authority = newAuthority(join(dir, 'planner'))
  await publish(authority, await authority.init())
  await publish(authority, await authority.release({ ic01: [OLDER, NEWEST] }))
  await publish(authority, await authority.release({ root: [{ ...NEWEST, model: 'root' }] }))
  const device = await deviceOf(join(dir, 'device'), authority)
  const change = await replaced(authority, 'release')
  const batch = await authority.rotate('image', { targets: change })
  t.strictSame(
    batch.requests.map(({ role }) => role),
    ['root', 'targets', 'model.ic01', 'model.root'],
  )
  await publish(authority, batch)
  const variants = [directed(NEWEST), directed({ ...NEWEST, model: 'root' })]
  const offer = await authority.offer({ device: 'dev1', version: 1, variants }, since)
  t.match((await device.verifyOffer(offer)).assignments, [{ model: 'ic01' }, { model: 'root' }])
  t.strictSame(await authority.image.variants('ic01'), [OLDER, NEWEST])
})

t.test(
  'two drafts of the same versions: the second is refused, not published over the first',
  async (t) => {
    const authority = newAuthority(t.testdir())
    await publish(authority, await authority.init())
    const [first, second] = [
      await authority.release({ a: [{ ...NEWEST, model: 'a' }] }),
      await authority.release({ b: [{ ...NEWEST, model: 'b' }] }),
    ]
    await publish(authority, first)
    await t.rejects(publish(authority, second), { code: 'stale-batch' })
    await authority.drop(second)
    await publish(authority, await authority.release({ b: [{ ...NEWEST, model: 'b' }] }))
    t.strictSame(await authority.image.models(), ['a', 'b'])
  },
)

t.test('publishing again after a cut of power changes nothing', async (t) => {
  const dir = t.testdir()
  const authority = newAuthority(join(dir, 'planner'))
  await publish(authority, await authority.init())
  const batch = await authority.sign(await authority.release({ ic01: [NEWEST] }))
  await authority.publish(batch)
  await authority.publish(batch)
  const device = await deviceOf(join(dir, 'device'), authority)
  await t.resolves(
    device.verifyOffer(
      await authority.offer({ device: 'dev1', version: 1, variants: [directed(NEWEST)] }, since),
    ),
  )
})

t.test('timestamps are signed again before they expire, and when their key changes', async (t) => {
  const clock = new TestClock()
  const authority = newAuthority(t.testdir(), clock)
  await publish(authority, await authority.init())
  t.equal(await authority.refresh(), false)
  clock.pass(5 * 24 * 3600_000)
  t.equal(await authority.refresh(), true)
  t.equal(await authority.refresh(), false)
})

t.test(
  'keys at rest: sealed ones open with their passphrase only, and files are their owner’s',
  async (t) => {
    const dir = t.testdir()
    const ring = new KeyRing(dir, SCRYPT)
    const made = await ring.generate('release', 'correct horse')
    const text = await readFile(join(dir, 'release.key'), 'utf8')
    t.notMatch(text, 'PRIVATE')
    t.equal((await stat(join(dir, 'release.key'))).mode & 0o777, 0o600)
    t.equal((await ring.open('release', 'correct horse')).trusted.keyId, made.trusted.keyId)
    await t.rejects(ring.open('release', 'correct house'), { code: 'cannot-unseal' })
    await t.rejects(ring.open('release'), { code: 'cannot-unseal' })
    await t.rejects(ring.open('nobody'), { code: 'no-such-key' })
    await t.rejects(ring.open('../release'), { code: 'no-such-key' })
    await t.rejects(ring.generate('release'), { code: 'key-exists' })
    t.match(await ring.list(), [{ name: 'release', kept: 'sealed', keyId: tufKeyId(made.trusted) }])
    t.strictSame((await readdir(dir)).sort(), ['release.key', 'release.pub'])
  },
)

t.test('the cost of a real passphrase is the stated one', async (t) => {
  const dir = t.testdir()
  const ring = new KeyRing(dir)
  await ring.generate('root', 'p')
  t.match(JSON.parse(await readFile(join(dir, 'root.key'), 'utf8')), { N: 2 ** 17, r: 8, p: 1 })
  await t.resolves(ring.open('root', 'p'))
})

t.test('impossible policies and second inits are refused in one line', async (t) => {
  const authority = newAuthority(t.testdir())
  await t.rejects(authority.init({ ...TWO_OF_THREE, root: { keys: ['a'], threshold: 2 } }), {
    code: 'impossible-policy',
  })
  await publish(authority, await authority.init())
  await t.rejects(authority.init(), { code: 'already-initialised' })
  await t.rejects(authority.rotate('image', { targets: { threshold: 5 } }), {
    code: 'impossible-policy',
  })
})

t.test('an offer fits one message, and the anchor can be pinned', async (t) => {
  const authority = newAuthority(t.testdir())
  await publish(authority, await authority.init(TWO_OF_THREE))
  const many = Array.from({ length: 20 }, (_, index) => ({
    ...NEWEST,
    digest: String(index).padStart(64, '0'),
  }))
  await publish(authority, await authority.release({ ic01: many }))
  const offer = await authority.offer(
    { device: 'dev1', version: 1, variants: [directed(NEWEST)] },
    { director: 1, image: 1 },
  )
  const bytes = JSON.stringify(offerSchema.parse(offer)).length
  t.comment(`offer of one assignment, 20 variants released: ${bytes} bytes`)
  t.ok(bytes < 48 * 1024, `${bytes} bytes`)
  t.match(anchorDigest(await authority.anchor()), /^[0-9a-f]{64}$/)
  t.throws(() => parseAnchor('{}'), { code: 'malformed-anchor' })
})
