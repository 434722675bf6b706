import t from 'tap'
import { z } from 'zod'
import { plannerInput } from '../../../../planner/cli/program/fleet-options.ts'

const { artifactsUrl } = plannerInput

for (const [said, taken] of [
  ['https://models.example', 'https://models.example'],
  ['https://models.example:8443/fit/ment/', 'https://models.example:8443/fit/ment'],
  ['http://127.0.0.1:8080/', 'http://127.0.0.1:8080'],
] as const) {
  t.test(`a copy of the artifacts at ${said}`, async (t) => {
    t.equal(artifactsUrl.parse(said), taken)
  })
}

for (const [said, why] of [
  ['http://models.example', /has no TLS/],
  ['ftp://models.example', /is no address/],
  ['models.example', /is no address/],
  ['https://me:secret@models.example', /no user/],
  ['https://models.example/?token=1', /no \?query/],
  [`https://models.example/${'x'.repeat(600)}`, /512/],
] as const) {
  t.test(`no copy of the artifacts at ${said.slice(0, 40)}`, async (t) => {
    const parsed = z.object({ artifactsUrl }).safeParse({ artifactsUrl: said })
    t.match(parsed.error?.issues, [{ message: why }])
    t.equal(parsed.error?.issues.length, 1)
  })
}
