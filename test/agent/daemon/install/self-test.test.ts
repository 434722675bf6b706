import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runSelfTest } from '../../../../agent/daemon/install/self-test.ts'
import { formatNpz } from '../../../../shared/dataset/index.ts'
import { modelPath } from '../../../fixture-models.ts'
import { goldenData } from '../../golden.ts'

const never = new AbortController().signal

const engine = { runtime: 'litert' } as const

t.test('a variant on its golden data', async (t) => {
  const directory = t.testdir()
  const write = (name: string, bytes: Uint8Array) => {
    writeFileSync(join(directory, name), bytes)
    return join(directory, name)
  }
  const x = { type: 'float32', shape: [1, 4], data: new Float32Array(4) } as const
  const good = write('good.npz', await goldenData())
  const rows = [
    { name: 'the float model', file: modelPath('dense.tflite'), golden: good },
    { name: 'its int8 form, against float', file: modelPath('dense-int8.tflite'), golden: good },
    { name: 'without golden data', file: modelPath('dense.tflite'), golden: null },
    {
      name: 'outputs of another model',
      file: modelPath('dense.tflite'),
      golden: write('spoiled.npz', await goldenData(true)),
      code: 'self-test-failed',
    },
    {
      name: 'golden data without outputs',
      file: modelPath('dense.tflite'),
      golden: write('blind.npz', formatNpz(new Map([['x', x]]))),
      code: 'self-test-failed',
    },
    {
      name: 'golden data that is none',
      file: modelPath('dense.tflite'),
      golden: write('rust.npz', Buffer.from('rust')),
      code: 'corrupt',
    },
    {
      name: 'a file that is no model',
      file: write('rust.tflite', Buffer.alloc(999, 1)),
      golden: null,
      code: 'not-loadable',
    },
  ]
  for (const { name, file, golden, code } of rows) {
    const test = runSelfTest({ file, engine, what: 'run', golden }, never)
    if (code) await t.rejects(test, { code }, name)
    else await t.resolves(test, name)
  }
})

t.test('one that takes too long is killed', async (t) => {
  const job = { file: modelPath('dense.tflite'), engine, what: 'run', golden: null } as const
  await t.rejects(runSelfTest(job, never, 1), { code: 'self-test-timeout' })
})

t.test('one that is no longer wanted ends', async (t) => {
  const job = { file: modelPath('dense.tflite'), engine, what: 'run', golden: null } as const
  await t.rejects(runSelfTest(job, AbortSignal.timeout(20)), { code: 'self-test-crashed' })
})
