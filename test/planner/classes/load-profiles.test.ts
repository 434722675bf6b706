import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  bundledProfilesDir,
  loadProfiles,
  loadProfilesWith,
  ProfileError,
} from '../../../planner/classes/index.ts'

const imx93 = JSON.parse(readFileSync(join(bundledProfilesDir(), 'imx93.json'), 'utf8'))
const file = (changes: object) => JSON.stringify({ ...imx93, ...changes })

async function errorOf(promise: Promise<unknown>): Promise<ProfileError> {
  const error = await promise.catch((thrown: unknown) => thrown)
  if (!(error instanceof ProfileError)) throw new Error('expected a ProfileError')
  return error
}

t.test('the bundled profiles, best first', async (t) => {
  const profiles = await loadProfiles()
  const keys = profiles.map(({ priority, id }) => `${1000 - priority} ${id}`)
  t.same(keys, [...keys].sort())
})

t.test('an operator’s folder adds classes and replaces ours', async (t) => {
  const dir = t.testdir({
    'imx93.json': file({ name: 'Ours' }),
    'gateway-7.json': file({ id: 'gateway-7' }),
    'notes.txt': 'not a profile',
  })
  const profiles = await loadProfilesWith(dir)
  t.equal(profiles.filter((profile) => profile.id === 'imx93').length, 1)
  t.equal(profiles.find((profile) => profile.id === 'imx93')?.name, 'Ours')
  t.ok(profiles.some((profile) => profile.id === 'gateway-7'))
  t.ok(profiles.some((profile) => profile.id === 'rk3588'))
  t.same(await loadProfilesWith(undefined), await loadProfiles())
})

t.test('defaults: a profile may leave features out', async (t) => {
  const { features: _, ...identify } = imx93.identify
  const [profile] = await loadProfiles(t.testdir({ 'imx93.json': file({ identify }) }))
  t.same(profile?.identify.features, { all: [], any: [], none: [] })
})

t.test('errors are one line that names file and field', async (t) => {
  const cases: [string, Record<string, string>, RegExp][] = [
    ['no JSON', { 'a.json': '{"id": ' }, /a\.json: .*JSON/],
    ['empty', { 'a.json': '' }, /a\.json: /],
    ['a list', { 'a.json': '[]' }, /a\.json: file: .*object/],
    ['wrong name', { 'a.json': file({}) }, /a\.json: id: rename the file to imx93\.json/],
    ['bad id', { 'A B.json': file({ id: 'A B' }) }, /A B\.json: id: /],
    ['priority', { 'imx93.json': file({ priority: 1e9 }) }, /imx93\.json: priority: /],
    [
      'feature',
      { 'imx93.json': file({ identify: { architecture: 'arm64', features: { all: ['neno'] } } }) },
      /imx93\.json: identify\.features\.all\.0: /,
    ],
    [
      'cpu part',
      { 'imx93.json': file({ identify: { architecture: 'arm64', cpuParts: ['A55'] } }) },
      /imx93\.json: identify\.cpuParts\.0: /,
    ],
    ['unknown field', { 'imx93.json': file({ cores: 2 }) }, /imx93\.json: file: .*cores/],
    ['two', { 'imx93.json': file({ notes: 1, name: '' }) }, /imx93\.json: name: .*1 more problem/],
    ['missing', { 'imx93.json': file({ budgets: undefined }) }, /imx93\.json: budgets: /],
  ]
  for (const [name, files, message] of cases) {
    const error = await errorOf(loadProfiles(t.testdir(files)))
    t.match(error.message, message, name)
    t.notMatch(error.message, /\n/, `${name}: one line`)
    t.equal(error.code, 'firmware-profile')
  }
})

t.test('folders: absent, a file, a folder that looks like a profile', async (t) => {
  const dir = t.testdir({ plain: 'text', folder: { 'x.json': {} } })
  const absent = await errorOf(loadProfiles(join(dir, 'absent')))
  t.match(absent.message, /cannot read the folder of firmware profiles .*absent/)
  await errorOf(loadProfiles(join(dir, 'plain')))
  t.match((await errorOf(loadProfiles(join(dir, 'folder')))).message, /x\.json/)
  t.same(await loadProfiles(t.testdir({})), [], 'an empty folder has none')
})
