/** The agent's package, unpacked by dpkg into a root of its own, runs from there; purged, nothing of it is left. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { buildProduct } from '../../packaging/build.ts'
import { ARCHITECTURES, PRODUCTS } from '../../packaging/products.ts'

const isHere = (program: string) => spawnSync(program, ['--version']).status === 0
const skip = !isHere('dpkg') ? 'no dpkg here' : process.getuid?.() !== 0 && 'dpkg wants root'
const here = ARCHITECTURES.find(({ node }) => node === process.arch)

t.setTimeout(600_000)

t.test(
  'the agent’s package',
  { skip: skip || (!here && 'no package for this processor') },
  async (t) => {
    const [product] = PRODUCTS
    if (!product || !here) throw new Error('nothing to build')
    const dir = t.testdir()
    const { deb, missing } = await buildProduct(product, here, dir)
    t.same(missing, [], 'built on its own processor it has all its parts')
    const root = join(dir, 'root')
    for (const folder of ['info', 'updates', 'triggers']) {
      mkdirSync(join(root, 'var/lib/dpkg', folder), { recursive: true })
    }
    for (const file of ['status', 'available']) writeFileSync(join(root, 'var/lib/dpkg', file), '')
    const dpkg = (...argv: string[]) =>
      execFileSync(
        'dpkg',
        [`--root=${root}`, '--force-depends', '--force-script-chrootless', ...argv],
        {
          stdio: ['ignore', 'ignore', 'pipe'],
        },
      )
    dpkg('--unpack', deb)
    const home = join(root, 'usr/lib/fitment-agent')
    t.match(readFileSync(join(root, 'usr/bin/fitment-agent'), 'utf8'), /dist\/agent\/cli\/main\.js/)
    t.ok(existsSync(join(root, 'usr/lib/systemd/system/fitment-agent.service')))
    // A file of the operator's gets its name when the package is configured, which asks for a running system.
    const settings = join(root, 'etc/fitment/agent.json.dpkg-new')
    t.same(JSON.parse(readFileSync(settings, 'utf8')), { stateDir: '/var/lib/fitment-agent' })
    const state = join(dir, 'state')
    mkdirSync(state)
    const main = join(home, 'dist/agent/cli/main.js')
    const told = execFileSync(process.execPath, [main, 'doctor', '--state-dir', state], {
      encoding: 'utf8',
    })
    t.match(told, /^ok +runtimes +litert, onnxruntime$/m, 'with the runtimes that it brought')
    dpkg('--purge', 'fitment-agent')
    t.notOk(existsSync(home))
    t.notOk(existsSync(settings), 'its settings go with a purge')
  },
)

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
