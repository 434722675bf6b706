import t from 'tap'
import { readReport } from '../../../agent/inventory/index.ts'
import { classify, loadProfiles } from '../../../planner/classes/index.ts'
import type { HardwareReport } from '../../../shared/messages/hardware-report.ts'
import { deviceTree, deviceTrees } from '../../device-trees.ts'

/** Which class each captured tree must get. */
const EXPECTED: Readonly<Record<string, string>> = {
  'amlogic-s905x': 'generic-arm64',
  'atom-e3825': 'intel-atom-sse',
  'beaglebone-ai64': 'beaglebone-ai64',
  'beaglebone-black': 'generic-armv7',
  'coral-dev-board': 'coral-dev-board',
  'false-pi-4': 'generic-arm64',
  garbage: 'unknown-other',
  graviton3: 'generic-arm64-i8mm',
  'icelake-laptop': 'generic-x64-vnni',
  'imx8mp-evk': 'imx8m-plus',
  'imx93-evk': 'imx93',
  'intel-n100': 'intel-n100',
  'jetson-nano': 'jetson-nano',
  'jetson-orin-nano': 'jetson-orin',
  'nanopi-r5s': 'generic-arm64-dotprod',
  'qcs6490-rb3gen2': 'qcs6490',
  'qemu-vm-no-avx': 'generic-x64',
  'raspberry-pi-3': 'raspberry-pi-3',
  'raspberry-pi-3-32bit': 'generic-armv7',
  'raspberry-pi-4': 'raspberry-pi-4',
  'raspberry-pi-5': 'raspberry-pi-5',
  'raspberry-pi-zero-2-w': 'raspberry-pi-zero-2-w',
  'rock-5b': 'rk3588',
  'skylake-thinkpad': 'generic-x64-avx2',
}

const profiles = await loadProfiles()
const reportOf = (name: string) => readReport({ root: deviceTree(name), stateDir: t.testdirName })

t.test('every captured tree gets its class, with a reason', async (t) => {
  t.same([...deviceTrees().keys()].sort(), Object.keys(EXPECTED).sort(), 'no tree is left out')
  for (const [name, expected] of Object.entries(EXPECTED)) {
    const match = classify(await reportOf(name), profiles)
    t.equal(match.class, expected, name)
    t.ok(match.reasons.every((reason) => reason.length > 0) && match.reasons.length > 0, name)
    t.equal(match.rejected.length, profiles.length - (match.profile === null ? 0 : 1))
  }
})

t.test('every profile is shown by a tree', async (t) => {
  const shown = new Set(Object.values(EXPECTED))
  t.same(
    profiles.map((profile) => profile.id).filter((id) => !shown.has(id)),
    [],
  )
})

t.test('what a profile says of the numbers is what its trees show', async (t) => {
  for (const name of Object.keys(EXPECTED)) {
    const { cpu, ...report } = await reportOf(name)
    const { profile } = classify({ cpu, ...report }, profiles)
    if (profile === null) continue
    const has = (...features: HardwareReport['cpu']['features']) =>
      features.some((feature) => cpu.features.includes(feature))
    const { dotprod, i8mm, vnni, fp16 } = profile.numerics
    t.same(
      { dotprod, i8mm, vnni, fp16 },
      {
        dotprod: has('asimddp'),
        i8mm: has('i8mm'),
        vnni: has('avx_vnni', 'avx512_vnni'),
        fp16: has('fphp'),
      },
      name,
    )
  }
})

t.test('accelerators that a board has built in are those its tree shows', async (t) => {
  for (const name of Object.keys(EXPECTED)) {
    const report = await reportOf(name)
    const { profile } = classify(report, profiles)
    const seen = report.accelerators.map((accelerator) => accelerator.kind)
    const known = profile?.accelerators.map((accelerator): string => accelerator.kind) ?? []
    if (profile === null || profile.priority < 200) continue
    t.same(
      seen.filter((kind) => !known.includes(kind)),
      [],
      `${name}: the profile knows ${seen.join(', ') || 'none'}`,
    )
  }
})

t.test(
  'a board that claims a profile with the wrong CPU is not trusted, and is told so',
  async (t) => {
    const match = classify(await reportOf('false-pi-4'), profiles)
    t.equal(match.class, 'generic-arm64')
    t.match(match.reasons[0], /^not raspberry-pi-4: .*raspberrypi,4-model-b, but .*0x41\/0xd03/)
    const rejection = match.rejected.find((r) => r.profile === 'raspberry-pi-4')
    t.match(rejection?.reason, /expected 0x41\/0xd08/)
  },
)

t.test(
  'features that a claim implies and the CPU lacks: the generic that is true, or unknown',
  async (t) => {
    const rock = await reportOf('rock-5b')
    const without = { ...rock, cpu: { ...rock.cpu, features: ['neon' as const] } }
    t.equal(classify(without, profiles).class, 'generic-arm64')
    const bare = { ...rock, cpu: { ...rock.cpu, features: [] } }
    const match = classify(bare, profiles)
    t.equal(match.class, 'unknown-arm64')
    t.equal(match.profile, null)
    t.match(match.reasons.join('; '), /Radxa ROCK 5B/)
  },
)

t.test('a container that hides the device tree still shows the board’s name', async (t) => {
  const pi = await reportOf('raspberry-pi-4')
  const board = { model: 'Raspberry Pi 4 Model B Rev 1.4', vendor: null, compatible: [] }
  const hidden = { ...pi, board: { ...board, source: 'none' as const } }
  t.equal(classify(hidden, profiles).class, 'raspberry-pi-4')
})

t.test('other architectures are unknown, not guessed', async (t) => {
  const pi = await reportOf('raspberry-pi-4')
  t.equal(classify({ ...pi, architecture: 'riscv64' }, profiles).class, 'unknown-riscv64')
  t.equal(classify({ ...pi, architecture: 'ia32' }, profiles).class, 'unknown-ia32')
})

t.test('the order of the profiles does not matter, and the report is left alone', async (t) => {
  const report = await reportOf('raspberry-pi-5')
  const before = structuredClone(report)
  const straight = classify(report, profiles)
  const reversed = classify(report, [...profiles].reverse())
  t.same(reversed, straight)
  t.same(report, before)
})

t.test('priority decides between profiles that fit; then the id', async (t) => {
  const report = await reportOf('raspberry-pi-4')
  const pi = profiles.find((profile) => profile.id === 'raspberry-pi-4')
  if (pi === undefined) throw new Error('the profile ships')
  const twin = { ...pi, id: 'a-twin' }
  const match = classify(report, [...profiles, twin])
  t.equal(match.class, 'a-twin')
  t.match(match.rejected.find((r) => r.profile === 'raspberry-pi-4')?.reason, /a-twin comes first/)
  t.equal(classify(report, [...profiles, { ...twin, priority: 1 }]).class, 'raspberry-pi-4')
})

t.test('memory ranges and DMI, as an operator’s profile may use them', async (t) => {
  const thinClient = await reportOf('atom-e3825')
  const atom = profiles.find((profile) => profile.id === 'intel-atom-sse')
  if (atom === undefined) throw new Error('the profile ships')
  const identify = {
    architecture: 'x64' as const,
    dmi: [{ vendor: '10zig*', model: '44xx*' }],
    features: { all: [], any: [], none: [] },
    memoryBytes: { max: 2 * 1024 ** 3 },
  }
  const own = { ...atom, id: 'our-thin-client', priority: 300, identify }
  t.equal(classify(thinClient, [...profiles, own]).class, 'our-thin-client')
  const larger = { ...thinClient, memory: { ...thinClient.memory, totalBytes: 4 * 1024 ** 3 } }
  const match = classify(larger, [...profiles, own])
  t.equal(match.class, 'intel-atom-sse')
  t.match(match.reasons[0], /10ZiG Technology\. 44xx.*, but it has 4\.0 GiB of memory/)
})

t.test('this host gets a class of its architecture, or is unknown', async (t) => {
  const report = await readReport({ stateDir: t.testdirName })
  const match = classify(report, profiles)
  t.ok(
    match.profile === null
      ? match.class === `unknown-${report.architecture}`
      : match.profile.identify.architecture === report.architecture,
    match.class,
  )
})
