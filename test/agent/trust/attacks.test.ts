import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { type MetadataSource, type Sources, sourceOf } from '../../../agent/trust/index.ts'
import { ATTACK_NAMES, type AttackName, type Offer } from '../../../shared/trust/index.ts'
import {
  DAY_MS,
  directed,
  fileOf,
  forged,
  NEWEST,
  OLDER,
  openScene,
  publish,
  replaced,
  type Scene,
  scribbled,
  stranger,
  variantOf,
  withFile,
} from './forge.ts'

const QUICK = { fileMs: 60, refreshMs: 5_000 }

interface Row {
  readonly attack: AttackName
  readonly how: string
  /** Brings the device into the situation and returns what the attacker shows it. */
  readonly mount: (scene: Scene) => Promise<Offer | Sources>
  /** What the operator does once the attack is known. */
  readonly recover?: (scene: Scene) => Promise<void>
  readonly setup?: Parameters<typeof openScene>[1]
}

const installed = async (scene: Scene, version = 5, variants = [directed(NEWEST)]) => {
  const offer = await scene.offer(version, variants)
  const { assignments } = await scene.device.verifyOffer(offer)
  for (const assignment of assignments) await scene.device.installed(assignment)
  return offer
}
const image = async (scene: Scene) => (await scene.offer(1)).image

const ROWS: readonly Row[] = [
  {
    attack: 'drop-request',
    how: 'the director does not answer',
    setup: { limits: QUICK },
    mount: async (scene) => ({
      director: { fetch: () => new Promise<null>(() => undefined) },
      image: sourceOf(await image(scene)),
    }),
  },
  {
    attack: 'drop-request',
    how: 'the image repository denies having a timestamp',
    mount: async (scene) => {
      const offer = await scene.offer(5)
      const { 'timestamp.json': _dropped, ...rest } = offer.image
      return { ...offer, image: rest }
    },
  },
  {
    attack: 'drop-request',
    how: 'the connection breaks',
    mount: async (scene) => ({
      director: { fetch: () => Promise.reject(new Error('reset')) },
      image: sourceOf(await image(scene)),
    }),
  },
  {
    attack: 'slow-retrieval',
    how: 'a byte now and then',
    setup: { limits: QUICK },
    mount: async (scene) => ({ director: trickling(), image: sourceOf(await image(scene)) }),
  },
  {
    attack: 'endless-data',
    how: 'a timestamp that never ends',
    mount: async (scene) => ({ director: endless(), image: sourceOf(await image(scene)) }),
  },
  {
    attack: 'endless-data',
    how: 'a snapshot announced with more bytes than it may have, signed by the stolen director key',
    mount: async (scene) => {
      const offer = await scene.offer(5)
      const key = await scene.key('director')
      return withFile(offer, 'director', 'timestamp.json', (text) =>
        forged(
          'timestamp',
          text,
          (signed) => {
            ;(signed.meta as Record<string, { length: number }>)['snapshot.json'] = {
              version: 5,
              length: 2 ** 30,
            } as never
          },
          [key],
        ),
      )
    },
  },
  {
    attack: 'freeze',
    how: 'nothing new until the last timestamp has expired',
    mount: async (scene) => {
      const offer = await installed(scene)
      scene.clock.pass(8 * DAY_MS)
      return offer
    },
  },
  {
    attack: 'freeze',
    how: 'the same, with the clock of the device set back',
    mount: async (scene) => {
      const offer = await installed(scene)
      scene.clock.pass(8 * DAY_MS)
      scene.clock.set(new Date(0))
      return offer
    },
  },
  {
    attack: 'freeze',
    how: 'only the image repository is held back',
    mount: async (scene) => {
      const old = await installed(scene)
      scene.clock.pass(8 * DAY_MS)
      return { ...(await scene.offer(6)), image: old.image }
    },
  },
  {
    attack: 'rollback',
    how: 'an older direction',
    mount: async (scene) => {
      const older = await scene.offer(4, [directed(OLDER)])
      await installed(scene)
      return older
    },
  },
  {
    attack: 'rollback',
    how: 'an older image repository',
    mount: async (scene) => {
      const older = await image(scene)
      await publish(scene.authority, await scene.authority.release({ ic01: [OLDER, NEWEST] }))
      await installed(scene)
      return { ...(await scene.offer(6)), image: older }
    },
  },
  {
    attack: 'rollback',
    how: 'the director orders an older release that was once signed',
    mount: async (scene) => {
      await installed(scene)
      return await scene.offer(6, [directed(OLDER)])
    },
  },
  {
    attack: 'fast-forward',
    how: 'the stolen director key uses the versions up',
    mount: async (scene) => {
      const key = await scene.key('director')
      return withFile(await scene.offer(5), 'director', 'timestamp.json', (text) =>
        scribbled(
          forged('timestamp', text, () => undefined, [key]),
          ({ signed }) => {
            signed.version = 2 ** 53 - 1
          },
        ),
      )
    },
  },
  {
    attack: 'mix-and-match',
    how: 'the snapshot of another moment',
    mount: async (scene) => {
      const [five, six] = [await scene.offer(5), await scene.offer(6)]
      const other = five.director[fileOf(five.director, 'snapshot.json')] ?? ''
      return withFile(six, 'director', 'snapshot.json', () => other)
    },
  },
  {
    attack: 'mix-and-match',
    how: 'targets of another moment of the image repository',
    mount: async (scene) => {
      const before = await image(scene)
      await publish(scene.authority, await scene.authority.release({ ic01: [OLDER, NEWEST] }))
      const other = before[fileOf(before, 'model.ic01.json')] ?? ''
      return withFile(await scene.offer(5), 'image', 'model.ic01.json', () => other)
    },
  },
  {
    attack: 'mix-and-match',
    how: 'the director describes released bytes otherwise',
    mount: (scene) => scene.offer(5, [directed(NEWEST, 1, { scheme: 'float32' })]),
  },
  {
    attack: 'mix-and-match',
    how: 'the director claims a higher release counter for an old release',
    mount: async (scene) => {
      await installed(scene)
      return await scene.offer(6, [directed(OLDER, 2, { releaseCounter: 3 })])
    },
  },
  {
    attack: 'mix-and-match',
    how: 'two variants of one model at once',
    mount: (scene) => scene.offer(5, [directed(NEWEST), directed(OLDER)]),
  },
  {
    attack: 'mix-and-match',
    how: 'a self-test that was not released',
    mount: (scene) =>
      scene.offer(5, [
        directed(NEWEST, 1, {
          selfTest: { digest: NEWEST.digest, bytes: 10, blockList: NEWEST.blockList },
        }),
      ]),
  },
  {
    attack: 'arbitrary-software',
    how: 'a stranger signs the targets of the director',
    mount: async (scene) =>
      withFile(await scene.offer(5), 'director', 'timestamp.json', (text) =>
        forged('timestamp', text, () => undefined, [stranger]),
      ),
  },
  {
    attack: 'arbitrary-software',
    how: 'a signed file is changed on its way',
    mount: async (scene) =>
      withFile(await scene.offer(5), 'image', 'timestamp.json', (text) =>
        scribbled(text, ({ signed }) => {
          signed.expires = '2099-01-01T00:00:00Z'
        }),
      ),
  },
  {
    attack: 'arbitrary-software',
    how: 'a stranger makes himself the root',
    mount: async (scene) => {
      const offer = await scene.offer(5)
      const root = offer.image['1.root.json'] ?? ''
      const next = forged(
        'root',
        root,
        (signed) => {
          signed.version = 2
        },
        [stranger],
      )
      return { ...offer, image: { ...offer.image, '2.root.json': next } }
    },
  },
  {
    attack: 'arbitrary-software',
    how: 'the publisher key, stolen, releases a model of its own and runs the versions up',
    recover: async ({ authority }) => {
      const change = await replaced(authority, 'publisher')
      await publish(
        authority,
        await authority.rotate('image', { timestamp: change, snapshot: change }),
      )
    },
    mount: async (scene) => {
      const publisher = await scene.key('publisher')
      const offer = await scene.offer(5)
      const { image: files } = offer
      const model = forged(
        'targets',
        files[fileOf(files, 'model.ic01.json')] ?? '',
        (signed) => {
          signed.version = 2
        },
        [publisher],
      )
      const bare = (version: number) => ({ version })
      const snapshot = forged(
        'snapshot',
        files[fileOf(files, 'snapshot.json')] ?? '',
        (signed) => {
          signed.version = 9
          signed.meta = { 'targets.json': bare(2), 'model.ic01.json': bare(2) }
        },
        [publisher],
      )
      const timestamp = forged(
        'timestamp',
        files['timestamp.json'] ?? '',
        (signed) => {
          signed.version = 9
          signed.meta = { 'snapshot.json': bare(9) }
        },
        [publisher],
      )
      return {
        ...offer,
        image: {
          ...files,
          'timestamp.json': timestamp,
          '9.snapshot.json': snapshot,
          '2.model.ic01.json': model,
        },
      }
    },
  },
  {
    attack: 'wrong-class',
    how: 'released for other classes than it is assigned for',
    mount: (scene) => scene.offer(5, [directed(NEWEST, 1, { class: 'jetson' })]),
  },
  {
    attack: 'wrong-class',
    how: 'released, but for another class than this device is of',
    mount: (scene) => scene.offer(5, [directed(NEWEST, 1, { class: 'pi5' })]),
  },
  {
    attack: 'wrong-class',
    how: 'for a runtime that is not here',
    setup: { runtimes: ['onnxruntime'] },
    mount: (scene) => scene.offer(5),
  },
  {
    attack: 'replayed-assignment',
    how: 'what the director signed for another device',
    mount: (scene) => scene.offer(5, [directed(NEWEST)], 'dev2'),
  },
  {
    attack: 'replayed-assignment',
    how: 'another device is to run nothing: an empty direction',
    mount: (scene) => scene.offer(9, [], 'dev2'),
  },
  {
    attack: 'replayed-assignment',
    how: 'only the targets are those of another device',
    mount: async (scene) => {
      const key = await scene.key('director')
      const mine = await scene.offer(5)
      const other = await scene.directorSays(5, [directed(NEWEST)], 'dev2')
      const targets = other[fileOf(other, 'targets.json')] ?? ''
      const bare = { version: 5 }
      const snapshot = forged(
        'snapshot',
        mine.director[fileOf(mine.director, 'snapshot.json')] ?? '',
        (signed) => {
          signed.meta = { 'targets.json': bare }
        },
        [key],
      )
      const timestamp = forged(
        'timestamp',
        mine.director['timestamp.json'] ?? '',
        (signed) => {
          signed.meta = { 'snapshot.json': bare }
        },
        [key],
      )
      return {
        ...mine,
        director: {
          ...mine.director,
          'timestamp.json': timestamp,
          '5.snapshot.json': snapshot,
          '5.targets.json': targets,
        },
      }
    },
  },
  {
    attack: 'online-key-compromise',
    how: 'the director assigns what was never released',
    mount: (scene) => scene.offer(5, [directed(variantOf('ic01', 'malware', 3))]),
  },
  {
    attack: 'online-key-compromise',
    how: 'the director assigns a model that was never released',
    mount: (scene) => scene.offer(5, [directed(variantOf('spy', 'malware', 1))]),
  },
  {
    attack: 'online-key-compromise',
    how: 'the director assigns other bytes under a released name',
    mount: async (scene) => {
      const key = await scene.key('director')
      return redirected(await scene.offer(5), key, (target) => {
        target.hashes = { sha256: '0'.repeat(64) }
      })
    },
  },
  {
    attack: 'online-key-compromise',
    how: 'the director assigns another length under a released name',
    mount: async (scene) => {
      const key = await scene.key('director')
      return redirected(await scene.offer(5), key, (target) => {
        target.length = 1
      })
    },
  },
  {
    attack: 'partial-install',
    how: 'of two assigned models only one arrives with its metadata',
    mount: async (scene) => {
      const second = variantOf('kws', 'another model', 1)
      await publish(scene.authority, await scene.authority.release({ kws: [second] }))
      const offer = await scene.offer(5, [directed(NEWEST), directed(second)])
      const { [fileOf(offer.image, 'model.kws.json')]: _dropped, ...rest } = offer.image
      return { ...offer, image: rest }
    },
  },
]

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

function redirected(
  offer: Offer,
  key: Parameters<typeof forged>[3][number],
  change: (target: Record<string, unknown>) => void,
): Offer {
  const files = offer.director
  const targets = forged(
    'targets',
    files[fileOf(files, 'targets.json')] ?? '',
    (signed) => {
      for (const target of Object.values(signed.targets as Record<string, Record<string, unknown>>))
        change(target)
    },
    [key],
  )
  const snapshot = forged(
    'snapshot',
    files[fileOf(files, 'snapshot.json')] ?? '',
    (signed) => {
      signed.meta = { 'targets.json': { version: 5 } }
    },
    [key],
  )
  const timestamp = forged(
    'timestamp',
    files['timestamp.json'] ?? '',
    (signed) => {
      signed.meta = { 'snapshot.json': { version: 5 } }
    },
    [key],
  )
  return {
    ...offer,
    director: {
      ...files,
      'timestamp.json': timestamp,
      '5.snapshot.json': snapshot,
      '5.targets.json': targets,
    },
  }
}

function endless(): MetadataSource {
  return {
    fetch: async (file) =>
      file.endsWith('root.json')
        ? null
        : (async function* () {
            for (;;) yield Buffer.alloc(1024, ' ')
          })(),
  }
}

function trickling(): MetadataSource {
  return {
    fetch: async (file, signal) =>
      file.endsWith('root.json')
        ? null
        : (async function* () {
            while (!signal.aborted) {
              yield Buffer.from(' ')
              await new Promise((resolve) => setTimeout(resolve, 5))
            }
          })(),
  }
}
