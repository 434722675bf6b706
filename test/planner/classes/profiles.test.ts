import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { z } from 'zod'
import { bundledProfilesDir, loadProfiles } from '../../../planner/classes/index.ts'
import { profileJsonSchema } from '../../../planner/classes/profile.ts'
import { ISA_FEATURES, type IsaFeature } from '../../../shared/messages/hardware-report.ts'

const dir = bundledProfilesDir()
const profiles = await loadProfiles(dir)
const read = (file: string) => JSON.parse(readFileSync(join(dir, file), 'utf8'))

t.test('profile.schema.json is what the zod schema prints', async (t) => {
  t.same(read('profile.schema.json'), JSON.parse(JSON.stringify(profileJsonSchema())))
})

t.test('every file fits the JSON schema as committed, not only the zod schema', async (t) => {
  const schema = z.fromJSONSchema(read('profile.schema.json'))
  const files = readdirSync(dir).filter((f) => f.endsWith('.json') && f !== 'profile.schema.json')
  t.equal(files.length, profiles.length)
  t.ok(files.length >= 14)
  for (const file of files) {
    const { success, error } = schema.safeParse(read(file))
    t.ok(success, `${file} ${error?.message ?? ''}`)
  }
  const broken = { ...read('imx93.json'), numerics: { dotprod: 'yes' } }
  t.notOk(schema.safeParse(broken).success, 'and the JSON schema does refuse')
})

t.test('each profile points editors to the schema and gives sources', async (t) => {
  for (const { $schema, id, notes } of profiles) {
    t.equal($schema, './profile.schema.json', id)
    t.ok(notes.length > 0, id)
  }
})

t.test('numeric features follow from what the profile requires and forbids', async (t) => {
  for (const { id, identify, numerics } of profiles) {
    const { all, any, none } = identify.features
    const must = (feature: IsaFeature) => all.includes(feature)
    t.equal(numerics.dotprod, must('asimddp'), `${id}: dotprod`)
    t.equal(numerics.i8mm, must('i8mm'), `${id}: i8mm`)
    const vnni = must('avx_vnni') || any.some((feature) => feature.endsWith('vnni'))
    t.equal(numerics.vnni, vnni, `${id}: vnni`)
    const forms = { arm64: 's8s8', x64: vnni ? 'u8s8' : 'u8s8-rr', arm: null }
    t.equal(numerics.onnxForm, forms[identify.architecture as keyof typeof forms], `${id}: form`)
    t.notOk(
      all.some((feature) => none.includes(feature)),
      `${id}: asks for what it forbids`,
    )
  }
})

t.test('boards come before processors, processors before generic profiles', async (t) => {
  for (const { id, identify, priority } of profiles) {
    const expected = identify.compatible ? 300 : identify.cpuModel ? 200 : 100
    t.equal(priority, expected, id)
  }
})

t.test('at most one generic profile fits any CPU', async (t) => {
  const generic = profiles.filter((profile) => profile.priority === 100)
  const used = ISA_FEATURES.filter((feature) =>
    generic.some(({ identify: { features: f } }) =>
      [...f.all, ...f.any, ...f.none].includes(feature),
    ),
  )
  for (const architecture of ['x64', 'arm64', 'arm'] as const) {
    for (let bits = 0; bits < 2 ** used.length; bits += 1) {
      const has = (feature: IsaFeature) => (bits >> used.indexOf(feature)) % 2 === 1
      const fitting = generic.filter(({ identify: { architecture: a, features: f } }) => {
        const some = f.any.length === 0 || f.any.some(has)
        return a === architecture && f.all.every(has) && some && !f.none.some(has)
      })
      if (fitting.length > 1) t.fail(fitting.map((profile) => profile.id).join(' and '))
    }
  }
  t.ok(used.length >= 6, `${2 ** used.length} feature sets tried`)
})

t.test('a device tree name belongs to one family', async (t) => {
  const names = profiles.flatMap((profile) => profile.identify.compatible ?? [])
  t.equal(new Set(names).size, names.length)
})
