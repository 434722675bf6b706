import t from 'tap'
import { SHARDS, shardOf } from '../../../planner/cluster/index.ts'

t.test('devices are spread over all parts, whatever they are called', async (t) => {
  const namings = {
    numbered: (index: number) => `d${String(index).padStart(6, '0')}`,
    plants: (index: number) => `plant-${index % 40}.press-${Math.floor(index / 40)}`,
  }
  for (const [naming, nameOf] of Object.entries(namings)) {
    const counts = Array.from({ length: SHARDS }, () => 0)
    const devices = 6_400
    for (let index = 0; index < devices; index += 1) {
      const shard = shardOf(nameOf(index))
      counts[shard] = (counts[shard] ?? 0) + 1
    }
    t.ok(Math.min(...counts) > 50, `${naming}: none has few (${Math.min(...counts)})`)
    t.ok(Math.max(...counts) < 170, `${naming}: none has many (${Math.max(...counts)})`)
  }
})
