import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { sourceOf } from '../../../agent/trust/index.ts'
import { LIFETIMES } from '../../../planner/trust/lifetimes.ts'
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
  START,
} from './forge.ts'

const MAX = 2 ** 31 - 1

t.test('an honest planner is believed: what to run, and every fact about it', async (t) => {
  const scene = await openScene(t.testdir())
  const believed = await scene.device.verifyOffer(await scene.offer(1))
  t.match(believed, { version: 1, issuedAt: '2026-11-23T12:00:00Z' })
  const { digest, bytes, blockList } = NEWEST
  t.strictSame(believed.assignments, [
    {
      device: 'dev1',
      model: 'ic01',
      variant: digest,
      artifact: { digest, bytes, blockList },
      runtime: 'litert',
      scheme: 'static-w8a8',
      class: 'pi4',
      counter: 1,
      releaseCounter: 2,
      selfTest: null,
      issuedAt: '2026-11-23T12:00:00Z',
      expiresAt: '2026-11-24T12:00:00.000Z',
    },
  ])
  t.strictSame((await scene.device.verifyOffer(await scene.offer(2, []))).assignments, [])
})

t.test('the same offer twice is believed twice, and after a restart', async (t) => {
  const scene = await openScene(t.testdir())
  const offer = await scene.offer(1)
  const first = await scene.device.verifyOffer(offer)
  t.strictSame(await scene.device.verifyOffer(offer), first)
  t.strictSame(await (await scene.reopen()).verifyOffer(offer), first)
})

t.test('only what is new must come: the store knows the rest', async (t) => {
  const scene = await openScene(t.testdir())
  const offer = await scene.offer(1)
  await scene.device.verifyOffer(offer)
  const asked: string[] = []
  const counting = (files: Record<string, string>) => ({
    fetch: (file: string, signal: AbortSignal) => {
      asked.push(file)
      return sourceOf(files).fetch(file, signal)
    },
  })
  await scene.device.verify({ director: counting(offer.director), image: counting(offer.image) })
  t.strictSame(asked, ['2.root.json', 'timestamp.json', '2.root.json', 'timestamp.json'])
})

t.test('an older release is refused only once a newer one was installed', async (t) => {
  const scene = await openScene(t.testdir())
  await scene.device.verifyOffer(await scene.offer(1))
  const { assignments } = await scene.device.verifyOffer(await scene.offer(2, [directed(OLDER)]))
  t.match(assignments, [{ releaseCounter: 1 }], 'the newer one failed to install')
  for (const assignment of assignments) await scene.device.installed(assignment)
  const [newest] = (await scene.device.verifyOffer(await scene.offer(3))).assignments
  if (newest) await scene.device.installed(newest)
  const again = await scene.offer(4, [directed(OLDER)])
  await t.rejects(scene.device.verifyOffer(again), { code: 'rollback' })
  await t.rejects(
    (await scene.reopen()).verifyOffer(again),
    { code: 'rollback' },
    'after a restart',
  )
  // Going back is the release keys' decision: the old bytes under a new release counter.
  const released = { ...OLDER, releaseCounter: 3 }
  await publish(scene.authority, await scene.authority.release({ ic01: [NEWEST, released] }))
  const { assignments: back } = await scene.device.verifyOffer(
    await scene.offer(5, [directed(released)]),
  )
  t.match(back, [{ variant: OLDER.digest, releaseCounter: 3 }])
})

t.test(
  'fast-forward recovery: versions a stolen key ran up are forgotten with the key',
  async (t) => {
    const scene = await openScene(t.testdir())
    await scene.device.verifyOffer(await scene.offer(1))
    await scene.device.verify(await ranUp(scene))
    await t.rejects(scene.device.verifyOffer(await scene.offer(2)), { code: 'rollback' }, 'stuck')
    const change = await replaced(scene.authority, 'director')
    const roles = { timestamp: change, snapshot: change, targets: change }
    await publish(scene.authority, await scene.authority.rotate('director', roles))
    await t.resolves(scene.device.verifyOffer(await scene.offer(3)), 'free')
    t.strictSame(await scene.device.rootVersions(), { director: 2, image: 1 })
  },
)

t.test(
  'fast-forward recovery: a time that a stolen key claimed is forgotten with the key',
  async (t) => {
    const scene = await openScene(t.testdir())
    const key = await scene.key('director')
    const future = {
      fitment: { device: 'dev1', issuedAt: '2090-01-01T00:00:00Z' },
      expires: '2099-01-01T00:00:00Z',
    }
    await t.rejects(scene.device.verify(await rewritten(scene, 1, [key], future)), {
      code: 'freeze',
    })
    t.equal(scene.device.now().getUTCFullYear(), 2090)
    await t.rejects(scene.device.verifyOffer(await scene.offer(2)), { code: 'freeze' }, 'stuck')
    const change = await replaced(scene.authority, 'director')
    const roles = { timestamp: change, snapshot: change, targets: change }
    await publish(scene.authority, await scene.authority.rotate('director', roles))
    const reopened = await scene.reopen()
    await t.resolves(reopened.verifyOffer(await scene.offer(3)), 'free')
    t.equal(reopened.now().getUTCFullYear(), 2026)
  },
)

t.test(
  'a planner whose clock was days ahead gets its devices back with its director’s keys',
  async (t) => {
    const scene = await openScene(t.testdir())
    const stood = scene.clock.now()
    scene.clock.set(new Date(stood.getTime() + 10 * DAY_MS))
    await scene.authority.refresh()
    await scene.device.verifyOffer(await scene.offer(1))
    scene.clock.set(stood)
    await t.rejects(scene.device.verifyOffer(await scene.offer(2)), {
      code: 'freeze',
      message:
        /the planner said that it is 2026-12-03 12:00, and this device's clock says 2026-11-23 12:00: if the planner's clock was ahead then, run fitment keys rotate director there/,
    })
    const change = await replaced(scene.authority, 'director')
    const roles = { timestamp: change, snapshot: change, targets: change }
    await publish(scene.authority, await scene.authority.rotate('director', roles))
    await t.resolves(scene.device.verifyOffer(await scene.offer(3)))
    t.equal(scene.device.now().getTime(), stood.getTime())
    const offered = await scene.offer(4)
    scene.clock.set(new Date(stood.getTime() + 10 * DAY_MS))
    await t.rejects(scene.device.verifyOffer(offered), {
      code: 'freeze',
      message: /this device's clock says 2026-12-03 12:00: if that is not so, set it/,
    })
  },
)

t.test(
  'release counters are forgotten when every release key was replaced, and only then',
  async (t) => {
    const scene = await openScene(t.testdir())
    const high = { ...NEWEST, releaseCounter: MAX }
    await publish(scene.authority, await scene.authority.release({ ic01: [high, OLDER] }))
    const [taken] = (await scene.device.verifyOffer(await scene.offer(1, [directed(high)])))
      .assignments
    if (taken) await scene.device.installed(taken)

    const { trusted } = await scene.authority.keys.generate('release-b')
    await publish(
      scene.authority,
      await scene.authority.rotate('image', { targets: { add: [trusted] } }),
    )
    await t.rejects(scene.device.verifyOffer(await scene.offer(2, [directed(OLDER)])), {
      code: 'rollback',
    })

    const { keyIDs } = await targetsRole(scene)
    const { trusted: fresh } = await scene.authority.keys.generate('release-c')
    const change = { add: [fresh], remove: keyIDs }
    await publish(scene.authority, await scene.authority.rotate('image', { targets: change }))
    await t.resolves(scene.device.verifyOffer(await scene.offer(3, [directed(OLDER)])))
  },
)

t.test('a wall clock that starts in 1970, jumps ahead, or goes back', async (t) => {
  const scene = await openScene(t.testdir())
  const offer = await scene.offer(1)
  scene.clock.set(new Date(0))
  await scene.device.verifyOffer(offer)
  t.equal(
    scene.device.now().getTime(),
    START.getTime(),
    'it is at least when the statement was made',
  )

  scene.clock.set(new Date('2050-01-01'))
  await t.rejects(scene.device.verifyOffer(offer), { code: 'freeze' })
  scene.clock.set(START)
  await t.resolves(scene.device.verifyOffer(offer), 'a jump ahead leaves no trace')

  const most = Math.min(LIFETIMES.director, LIFETIMES.timestamp) * DAY_MS
  scene.clock.pass(most * 0.9)
  scene.clock.set(new Date(0))
  await t.resolves(scene.device.verifyOffer(offer), 'nine tenths of its life')
  await scene.device.keepTime()
  const reopened = await scene.reopen()
  t.equal(reopened.now().getTime(), START.getTime() + most * 0.9, 'a restart loses none of it')
  scene.clock.pass(most * 0.2)
  await t.rejects(reopened.verifyOffer(offer), { code: 'freeze' })
})

t.test(
  'any file of the store cut short, emptied or full of rubbish: the device goes on',
  async (t) => {
    const scene = await openScene(t.testdir())
    const [first] = (await scene.device.verifyOffer(await scene.offer(1))).assignments
    if (first) await scene.device.installed(first)
    const files = (await readdir(scene.deviceDir, { recursive: true })).filter((name) =>
      name.endsWith('.json'),
    )
    t.ok(files.length >= 12, `${files.length} files`)
    let version = 1
    for (const name of files) {
      const path = join(scene.deviceDir, name)
      const whole = await readFile(path)
      for (const bytes of [
        whole.subarray(0, whole.length / 2),
        Buffer.alloc(0),
        Buffer.alloc(whole.length, 0xff),
      ]) {
        await writeFile(path, bytes)
        version += 1
        const device = await scene.reopen()
        await t.resolves(device.verifyOffer(await scene.offer(version)), name)
        await t.rejects(
          device.verifyOffer(await scene.offer(version + 1, [directed(OLDER)])),
          { code: 'rollback' },
          `${name}: release counters are not forgotten`,
        )
        version += 1
      }
    }
  },
)

t.test('a store that cannot be written is told in one line, and nothing is believed', async (t) => {
  const folder = t.testdir({ occupied: 'a file where a folder must be', later: {} })
  const scene = await openScene(join(folder, 'scene'))
  await t.rejects(scene.reopen({ dir: join(folder, 'occupied', 'trust') }), {
    code: 'trust-store',
    message: /ENOTDIR/,
  })
  const unwritable = await scene.reopen({ dir: join(folder, 'later') })
  await writeFile(join(folder, 'later', 'director'), 'a file where a folder must be')
  await t.rejects(unwritable.verifyOffer(await scene.offer(1)), { code: 'trust-store' })
})

async function ranUp(scene: Scene) {
  return await rewritten(scene, MAX, [await scene.key('director')], {})
}

/** A direction of this version with these fields, by whoever holds the keys. */
async function rewritten(
  scene: Scene,
  version: number,
  keys: Parameters<typeof forged>[3],
  fields: Record<string, unknown>,
) {
  const { director, image } = await scene.offer(1)
  const text = (ending: string) => director[fileOf(director, ending)] ?? ''
  const change = (meta?: string) => (signed: Record<string, unknown>) => {
    Object.assign(signed, { version, ...fields, ...(meta && { meta: { [meta]: { version } } }) })
  }
  return {
    director: sourceOf({
      'timestamp.json': forged('timestamp', text('timestamp.json'), change('snapshot.json'), keys),
      [`${version}.snapshot.json`]: forged(
        'snapshot',
        text('snapshot.json'),
        change('targets.json'),
        keys,
      ),
      [`${version}.targets.json`]: forged('targets', text('targets.json'), change(), keys),
    }),
    image: sourceOf(image),
  }
}

async function targetsRole(scene: Scene): Promise<{ keyIDs: string[] }> {
  const { image } = await scene.offer(1)
  const root = JSON.parse(image[fileOf(image, 'root.json')] ?? '') as {
    signed: { roles: { targets: { keyids: string[] } } }
  }
  return { keyIDs: root.signed.roles.targets.keyids }
}
