/** The packages as dpkg takes them, into a root of their own: installed, started, upgraded, removed, purged. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { buildProduct } from '../../packaging/build.ts'
import { ARCHITECTURES, PRODUCTS, type Product } from '../../packaging/products.ts'
import { isHere } from './is-here.ts'

const here = ARCHITECTURES.find(({ node }) => node === process.arch)
const away = ARCHITECTURES.find(({ node }) => node !== process.arch)
const skip = !isHere('dpkg')
  ? 'no dpkg here'
  : process.getuid?.() !== 0
    ? 'dpkg wants root'
    : !here && 'no package for this processor'

/** What an agent may take of a device's disk, beside Node. */
const MOST_BYTES = 60e6

t.setTimeout(600_000)

function scratch(t: Test, product: Product) {
  const dir = t.testdir()
  const root = join(dir, 'root')
  for (const folder of ['info', 'updates', 'triggers']) {
    mkdirSync(join(root, 'var/lib/dpkg', folder), { recursive: true })
  }
  for (const file of ['status', 'available']) writeFileSync(join(root, 'var/lib/dpkg', file), '')
  const dpkg = (...argv: string[]) =>
    execFileSync(
      'dpkg',
      [`--root=${root}`, '--force-depends', '--force-script-chrootless', ...argv],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    )
  const build = (version?: string) => buildProduct(product, here as never, dir, version)
  return { dir, root, dpkg, build, main: join(root, 'usr/lib', product.name, product.main) }
}

t.test('the agent: installed, run, upgraded, removed, purged', { skip }, async (t) => {
  const [product] = PRODUCTS
  if (!product) throw new Error('nothing to build')
  const { dir, root, dpkg, build, main } = scratch(t, product)
  const { deb, missing, installedBytes } = await build()
  t.same(missing, [], 'built on its own processor it has all its parts')
  t.ok(installedBytes <= MOST_BYTES, `${installedBytes} bytes`)
  dpkg('--install', deb)
  t.match(readFileSync(join(root, 'usr/bin/fitment-agent'), 'utf8'), /dist\/agent\/cli\/main\.js/)
  t.ok(existsSync(join(root, 'usr/lib/systemd/system/fitment-agent.service')))
  const settings = join(root, 'etc/fitment/agent.json')
  t.same(JSON.parse(readFileSync(settings, 'utf8')), { stateDir: '/var/lib/fitment-agent' })

  const state = join(dir, 'state')
  mkdirSync(state)
  const told = execFileSync(process.execPath, [main, 'doctor', '--state-dir', state], {
    encoding: 'utf8',
  })
  t.match(told, /^ok +runtimes +litert, onnxruntime$/m, 'with the runtimes that it brought')

  const own = '{ "stateDir": "/var/lib/fitment-agent", "watchSeconds": 30 }\n'
  writeFileSync(settings, own)
  const inPlace = join(root, 'var/lib/fitment-agent')
  mkdirSync(inPlace, { recursive: true })
  writeFileSync(join(inPlace, 'journal'), 'kept')
  const { deb: newer } = await build('99.0.0')
  dpkg('--install', newer)
  t.match(dpkg('--status', 'fitment-agent'), /^Version: 99\.0\.0$/m)
  t.equal(readFileSync(settings, 'utf8'), own, 'what the operator wrote stays')
  t.match(spawnSync(process.execPath, [main, '--version'], { encoding: 'utf8' }), { status: 0 })

  dpkg('--remove', 'fitment-agent')
  t.notOk(existsSync(main))
  t.ok(existsSync(settings), 'an agent that comes back finds its settings')
  t.ok(existsSync(join(inPlace, 'journal')), 'and what it was')
  dpkg('--purge', 'fitment-agent')
  t.notOk(existsSync(settings), 'its settings go with a purge')
  t.notOk(existsSync(inPlace), 'and its state')
})

t.test('the planner: installed, and started', { skip }, async (t) => {
  const product = PRODUCTS[1]
  if (!product) throw new Error('nothing to build')
  const { dir, root, dpkg, build, main } = scratch(t, product)
  const { deb, missing } = await build()
  t.same(missing, [])
  dpkg('--install', deb)
  const environment = join(root, 'etc/fitment/planner.env')
  appendFileSync(environment, '# mine\n')
  const child = spawn(
    process.execPath,
    [main, 'serve', '--data', join(dir, 'fleet'), '--port', '0', '--json'],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH } },
  )
  t.teardown(() => child.kill('SIGKILL'))
  let said = ''
  for await (const chunk of child.stdout) {
    said += chunk
    if (said.trimEnd().endsWith('}')) break
  }
  t.match(JSON.parse(said), { ready: true, broker: /^mqtts:/, database: /fitment\.db$/ })
  child.kill('SIGTERM')
  t.same(await once(child, 'exit'), [0, null])
  dpkg('--install', (await build('99.0.0')).deb)
  t.match(readFileSync(environment, 'utf8'), /# mine/)
  dpkg('--purge', 'fitment')
  t.notOk(existsSync(environment))
})

t.test(
  'for another processor: its own binaries, and none of ours',
  { skip: skip || !away },
  async (t) => {
    for (const product of PRODUCTS) {
      const dir = t.testdir()
      const { deb, missing } = await buildProduct(product, away as never, dir)
      const listed = execFileSync('dpkg', ['-c', deb], { encoding: 'utf8' })
      const binaries = listed.match(/\S+\.(?:node|so(?:\.\d+)*)$/gm) ?? []
      if (missing.length > 0) t.comment(`without a network, and so without ${missing.join(', ')}`)
      t.ok(binaries.length >= 2)
      execFileSync('dpkg-deb', ['-x', deb, join(dir, 'out')])
      for (const binary of binaries) {
        const machine = readFileSync(join(dir, 'out', binary)).readUInt16LE(18)
        t.equal(machine, MACHINES[away?.node ?? ''], `${product.name}: ${binary}`)
      }
    }
  },
)

/** elf(5), e_machine. */
const MACHINES: Readonly<Record<string, number>> = { x64: 62, arm64: 183 }

const canAnalyze = isHere('systemd-analyze')
t.test('the units are hardened', { skip: !canAnalyze && 'no systemd-analyze here' }, async (t) => {
  for (const { unit } of PRODUCTS) {
    const path = join('packaging/files', unit)
    const { stdout } = spawnSync('systemd-analyze', ['security', '--offline=true', path], {
      encoding: 'utf8',
    })
    const exposure = /exposure level for .*: ([\d.]+)/.exec(stdout)?.[1]
    t.ok(Number(exposure) <= 3, `${unit}: ${exposure}`)
  }
})
