import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { artifactRefSchema, BLOCK_BYTES, blockCount } from '../../../shared/artifact.ts'
import { digestOf } from '../../../shared/digest.ts'
import { blockListBytes, blockListOf } from '../../../shared/messages/block-list.ts'

for (const size of [1, BLOCK_BYTES, BLOCK_BYTES + 1, 16 * BLOCK_BYTES, 40 * BLOCK_BYTES + 123]) {
  t.test(`an artifact of ${size} bytes`, async (t) => {
    const path = join(t.testdir({}), 'artifact')
    const bytes = randomBytes(size)
    await writeFile(path, bytes)
    const { ref, blockList } = await blockListOf(path)
    t.equal(ref.digest, digestOf(bytes))
    t.equal(ref.bytes, size)
    t.equal(ref.blockList, digestOf(blockList))
    t.ok(artifactRefSchema.safeParse(ref).success)
    t.equal(blockList.length, blockListBytes(size))
    for (let block = 0; block < blockCount(size); block += 1) {
      const digest = digestOf(bytes.subarray(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES))
      t.equal(blockList.toString('hex', block * 32, block * 32 + 32), digest)
    }
  })
}

t.test('an empty file is no artifact', async (t) => {
  const dir = t.testdir({ empty: '' })
  await t.rejects(blockListOf(join(dir, 'empty')), { code: 'usage' })
})
