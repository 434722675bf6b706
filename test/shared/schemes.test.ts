import t from 'tap'
import { UsageError } from '../../shared/errors.ts'
import {
  BASE_SCHEMES,
  type BaseScheme,
  parseScheme,
  printScheme,
  SCHEME_SUFFIXES,
  type SchemeSuffix,
} from '../../shared/schemes.ts'

const bases = Object.keys(BASE_SCHEMES) as BaseScheme[]
const suffixes = Object.keys(SCHEME_SUFFIXES) as SchemeSuffix[]

t.test('every legal name is read back as it was printed', async (t) => {
  for (const base of bases) {
    const taken = suffixes.filter(
      (suffix) => BASE_SCHEMES[base].calibrated || (base === 'dynamic-w8' && suffix === 'rr'),
    )
    for (let bits = 0; bits < 1 << taken.length; bits += 1) {
      const chosen = taken.filter((_, index) => bits & (1 << index))
      const name = printScheme({ base, suffixes: chosen })
      t.same(parseScheme(name), { base, suffixes: chosen }, name)
    }
  }
})

t.test('names that are none are refused with the known ones', async (t) => {
  const wrong = [
    '',
    'int8',
    'static-w8a8-',
    'static-w8a8-io8-u8s8',
    'float32-io8',
    'float32-rr',
    'dynamic-w8-u8s8',
    'static-w8a8-io8-io8',
  ]
  for (const name of wrong) t.throws(() => parseScheme(name), UsageError, name)
})
