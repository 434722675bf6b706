import { execFileSync } from 'node:child_process'
import t from 'tap'
import { namingOf, shellWord } from '../../shared/started-as.ts'

const compiled = new URL('../../', import.meta.url).pathname
const PATH = '/usr/local/bin:/usr/bin'

const rows: { how: string; script: string; env?: NodeJS.ProcessEnv; agent: string }[] = [
  {
    how: 'npx',
    script: '/root/.npm/_npx/1f/node_modules/.bin/fitment',
    env: { PATH: `/root/.npm/_npx/1f/node_modules/.bin:${PATH}`, npm_lifecycle_event: 'npx' },
    agent: 'npx fitment-agent',
  },
  {
    how: 'npm run demo',
    script: `${compiled}planner/cli/main.js`,
    env: { PATH, npm_lifecycle_event: 'demo' },
    agent: 'npx fitment-agent',
  },
  { how: 'a name on the PATH', script: '/usr/local/bin/fitment', agent: 'fitment-agent' },
  {
    how: 'a link elsewhere',
    script: '/opt/fitment/bin/fitment',
    agent: '/opt/fitment/bin/fitment-agent',
  },
  {
    how: 'a link below',
    script: '/srv/here/node_modules/.bin/fitment',
    agent: 'node_modules/.bin/fitment-agent',
  },
  { how: 'a link here', script: '/srv/here/fitment', agent: './fitment-agent' },
  {
    how: 'its file',
    script: `${compiled}planner/cli/main.js`,
    agent: `node ${shellWord(`${compiled}agent/cli/main.js`)}`,
  },
]

for (const { how, script, env = { PATH }, agent } of rows) {
  t.test(`started by ${how}`, async (t) => {
    const naming = namingOf({ argv: ['node', script], env, cwd: () => '/srv/here' })
    t.equal(naming('fitment-agent'), agent)
  })
}

t.test('a shell reads a word as it was', async (t) => {
  for (const word of ['./fleet', 'a fleet', "it's", '$HOME', 'a;b', '', '~', '"']) {
    const read = execFileSync('sh', ['-c', `printf %s ${shellWord(word)}`], { encoding: 'utf8' })
    t.equal(read, word)
  }
})
