import t from 'tap'
import {
  addOperator,
  isAtLeast,
  operatorWith,
  ROLES,
  revokeOperator,
} from '../../../planner/identity/index.ts'
import { audit, operators } from '../../../planner/storage/index.ts'
import { newOperatorSecret, parseOperatorToken } from '../../../shared/identity/index.ts'
import { registryOf } from './registry.ts'

t.test('each role may what those before it may', async (t) => {
  const table = ROLES.map((role) => ROLES.map((least) => isAtLeast(role, least)))
  t.strictSame(table, [
    [true, false, false],
    [true, true, false],
    [true, true, true],
  ])
})

t.test('a token is known by its secret until it is revoked or expires', async (t) => {
  const { db, clock, authority } = await registryOf(t)
  const place = { planner: 'https://planner.local:8443', authority: authority.pin }
  const add = async (name: string, lifetimeMs: number | null) => {
    const wish = { name, role: 'operator', lifetimeMs, by: 'cli:tester' } as const
    return parseOperatorToken(await addOperator(db, place, wish, clock.now())).secret
  }
  const ann = await add('ann', null)
  const bob = await add('bob', 1_000)
  t.match(await operatorWith(db, ann, clock.now()), { name: 'ann', role: 'operator' })
  t.match(await operatorWith(db, bob, clock.now()), { name: 'bob', role: 'operator' })
  t.equal(await operatorWith(db, newOperatorSecret(), clock.now()), undefined)
  clock.goMs(1_000)
  t.equal(await operatorWith(db, bob, clock.now()), undefined)
  t.equal(await revokeOperator(db, 'ann', 'cli:tester', clock.now()), 1)
  t.equal(await operatorWith(db, ann, clock.now()), undefined)
  t.equal(await revokeOperator(db, 'ann', 'cli:tester', clock.now()), 0)

  const stored = JSON.stringify(await operators.listOperators(db))
  const log = await audit.readAudit(db, { limit: 10 })
  for (const secret of [ann, bob]) {
    for (const encoding of ['hex', 'base64', 'base64url'] as const) {
      const text = Buffer.from(secret).toString(encoding)
      t.notOk(stored.includes(text) || JSON.stringify(log).includes(text), 'kept nowhere')
    }
  }
  t.match(
    log.map(({ actor, action, subject }) => `${actor} ${action} ${subject}`),
    [
      'cli:tester operators.revoke ann',
      'cli:tester operators.add bob',
      'cli:tester operators.add ann',
    ],
  )
})
