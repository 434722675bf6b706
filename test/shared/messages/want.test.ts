import t from 'tap'
import {
  MAX_WINDOW,
  printMissing,
  wantedBlocks,
  wantSchema,
} from '../../../shared/messages/want.ts'
import { DIGEST } from './samples.ts'

const cases: readonly { from: number; blocks: readonly number[]; missing: string }[] = [
  { from: 0, blocks: [], missing: '' },
  { from: 0, blocks: [0], missing: 'AQ==' },
  // Least significant bit first: 20, 21, 24 and 43 from 20 are bits 0, 1, 4 and 23.
  { from: 20, blocks: [20, 21, 24, 43], missing: 'EwCA' },
  {
    from: 100,
    blocks: Array.from({ length: MAX_WINDOW }, (_, i) => 100 + i),
    missing: '//////////8=',
  },
  { from: 32_768, blocks: [32_831], missing: 'AAAAAAAAAIA=' },
]

for (const { from, blocks, missing } of cases) {
  t.test(`blocks [${blocks.slice(0, 5)}] from ${from}`, async (t) => {
    t.equal(printMissing(from, blocks), missing)
    t.strictSame(wantedBlocks({ from, missing }), blocks)
    const want = { v: 1, id: 'w', artifact: DIGEST, from, missing, credit: 1 }
    t.ok(wantSchema.safeParse(want).success)
  })
}

t.test('a block outside the window is a bug of the caller', async (t) => {
  t.throws(() => printMissing(10, [9]), { code: 'invariant' })
  t.throws(() => printMissing(10, [10 + MAX_WINDOW]), { code: 'invariant' })
})

t.test('bits past the window are ignored', async (t) => {
  t.equal(
    wantedBlocks({ from: 0, missing: Buffer.alloc(12, 0xff).toString('base64') }).length,
    MAX_WINDOW,
  )
})
