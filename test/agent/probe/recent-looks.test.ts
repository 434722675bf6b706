import { copyFileSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { RecentLooks } from '../../../agent/probe/recent-looks.ts'
import type { ProbeRequest } from '../../../agent/probe/request.ts'
import { modelPath } from '../../fixture-models.ts'
import { record } from '../../planner/conductor/scripted-fleet.ts'

t.test(
  'who only asks whether it runs is told what was found lately, of the same file and engine',
  async (t) => {
    const file = join(t.testdir({}), 'model.tflite')
    copyFileSync(modelPath('dense.tflite'), file)
    let now = 0
    const looks = new RecentLooks(() => now)
    const request: ProbeRequest = {
      modelPath: file,
      engine: { runtime: 'litert' },
      threads: 1,
      datasetPath: '/data.npz',
      baseline: null,
      answersMs: 0,
      measureMs: 100,
      timeoutMs: 1000,
      memoryLimitBytes: null,
      root: '/',
    }
    const found = record(1, 1)
    t.equal(looks.of(request), undefined)
    looks.keep(request, found)
    t.equal(looks.of(request), found)
    t.equal(looks.of({ ...request, answersMs: undefined }), undefined, 'answers are wanted')
    t.equal(looks.of({ ...request, threads: 2 }), undefined)
    t.equal(looks.of({ ...request, engine: { runtime: 'onnxruntime' } }), undefined)
    now = 11 * 60_000
    t.equal(looks.of(request), undefined, 'too long ago')
    looks.keep(request, found)
    utimesSync(file, 1, 1)
    t.equal(looks.of(request), found, 'a file that was only used')
    copyFileSync(modelPath('dense-int8.tflite'), file)
    t.equal(looks.of(request), undefined, 'another file')
    looks.keep({ ...request, modelPath: `${file}.gone` }, found)
    for (let threads = 2; threads < 40; threads++) looks.keep({ ...request, threads }, found)
    t.equal(
      looks.of({ ...request, threads: 2 }),
      undefined,
      'no more of them than a tournament has',
    )
    t.equal(looks.of({ ...request, threads: 39 }), found)
  },
)
