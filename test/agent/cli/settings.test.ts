import { join } from 'node:path'
import t from 'tap'
import { readable } from '../../../agent/cli/create-log.ts'
import { readSettings } from '../../../agent/cli/read-settings.ts'
import {
  environmentName,
  flagName,
  SETTING_FLAGS,
  settingsSchema,
} from '../../../agent/cli/settings.ts'
import { parseSize } from '../../../agent/cli/size.ts'

const needed = { broker: 'mqtt://b', device: 'd1', stateDir: '/s', trust: 'sha256:x' }

const sizes: readonly (readonly [string, number])[] = [
  ['65536', 65_536],
  ['64KiB', 65_536],
  ['64MiB', 67_108_864],
  ['1.5 GiB', 1_610_612_736],
  ['200MB', 200_000_000],
  ['8m', 8_388_608],
]

for (const [text, bytes] of sizes) {
  t.test(`${text} is a size`, (t) => {
    t.equal(parseSize(text), bytes)
    t.end()
  })
}

for (const text of ['', '0', '-1', 'MiB', '5q', '1e9', '64 MiB please']) {
  t.test(`"${text}" is no size`, (t) => {
    t.throws(() => parseSize(text), { code: 'usage', message: /KiB, MiB or GiB/ })
    t.end()
  })
}

t.test('a flag wins over the environment, and that over the file', (t) => {
  const directory = t.testdir({
    'agent.json': JSON.stringify({ ...needed, fleet: 'file', storageLimit: '8MiB', threads: 2 }),
  })
  const settings = readSettings({
    flags: { config: join(directory, 'agent.json'), fleet: 'flag' },
    environment: { FITMENT_FLEET: 'environment', FITMENT_THREADS: '3', FITMENT_MEMORY_LIMIT: '' },
  })
  t.match(settings, {
    fleet: 'flag',
    threads: 3,
    storageLimit: 8 * 2 ** 20,
    device: 'd1',
    root: '/',
  })
  t.equal(settings.memoryLimit, undefined, 'an empty variable is none')
  t.end()
})

t.test('what is missing or wrong is said in one line, by flag', (t) => {
  const read = (flags: Record<string, unknown>) => () => readSettings({ flags, environment: {} })
  t.throws(read({ device: 'd1' }), { message: /^--broker, --state-dir, --trust must be given/ })
  t.throws(read({ ...needed, storageLimit: '5q' }), {
    message: /^--storage-limit: "5q" is no size/,
  })
  t.throws(read({ ...needed, threads: 'many' }), { message: /^--threads/ })
  t.throws(read({ ...needed, device: 'a/b' }), { message: /^--device/ })
  t.throws(read({ ...needed, config: '/nowhere.json' }), {
    code: 'usage',
    message: /nowhere\.json/,
  })
  t.end()
})

t.test('a configuration file with a misspelt name is refused', (t) => {
  const directory = t.testdir({ 'a.json': JSON.stringify({ brokr: 'mqtt://b' }), 'b.json': '{' })
  const read = (name: string) => () =>
    readSettings({ flags: { config: join(directory, name) }, environment: {} })
  t.throws(read('a.json'), { code: 'usage', message: /brokr/ })
  t.throws(read('b.json'), { code: 'usage', message: /b\.json/ })
  t.end()
})

t.test('every setting has a flag, named after its key', (t) => {
  t.same(new Set(SETTING_FLAGS.map(({ key }) => key)), new Set(Object.keys(settingsSchema.shape)))
  for (const { key, flags } of SETTING_FLAGS) t.equal(flags.split(' ')[0], flagName(key))
  t.equal(environmentName('storageLimit'), 'FITMENT_STORAGE_LIMIT')
  t.end()
})

t.test('a line of the log for people', (t) => {
  const line = JSON.stringify({
    level: 40,
    time: 0,
    msg: 'no broker',
    broker: 'mqtt://b',
    pauseMs: 7,
  })
  t.match(readable(line), /^\d\d:\d\d:\d\d WARN {2}no broker {2}broker=mqtt:\/\/b pauseMs=7$/)
  t.end()
})
