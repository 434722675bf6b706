import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { compile, compilersHere, findCompiler } from '../../../planner/compilers/index.ts'
import { digestOf } from '../../../shared/digest.ts'
import { compiledModel, edgetpuStandIn, standIn } from './stand-in.ts'

const model = new Uint8Array(1000)

t.test('edgetpu_compiler, by a stand-in: command line, file and report', async (t) => {
  const compiler = edgetpuStandIn(t.testdir())
  const { bytes, report } = await compile({ model, target: 'edgetpu', compiler })
  t.equal(digestOf(bytes), digestOf(compiledModel('edgetpu-custom-op')))
  t.match(report, {
    compiler: 'edgetpu_compiler',
    version: '16.0.384591198',
    operators: { accelerator: 14, cpu: 1 },
    left: { SOFTMAX: 1 },
    partitions: 1,
    sramBytes: 59_904,
    dramBytes: 0,
    cycles: null,
  })
})

t.test('a target that takes files as they are', async (t) => {
  await t.rejects(compile({ model, target: 'vx' }), { code: 'usage', message: /as they are/ })
})

interface BadCompiler {
  readonly name: string
  readonly does: (folder: string) => string
  readonly code: string
  readonly message: RegExp
}

const bad: readonly BadCompiler[] = [
  {
    name: 'loops',
    does: () => 'while :; do :; done',
    code: 'compiler-timeout',
    message: /was ended after 2 s/,
  },
  {
    name: 'waits with a child that holds its pipes',
    does: () => 'sleep 600 & sleep 600',
    code: 'compiler-timeout',
    message: /was ended after 2 s/,
  },
  {
    name: 'never stops talking',
    does: () => 'yes "this line is long enough to fill any memory"',
    code: 'compiler-timeout',
    message: /was ended after 2 s/,
  },
  {
    name: 'writes nothing',
    does: () => 'echo "nothing to do"',
    code: 'compiler-wrote-nothing',
    message: /wrote no model_vela.tflite: nothing to do/,
  },
  {
    name: 'writes something else',
    does: () => 'echo hello > "$3/model_vela.tflite"',
    code: 'compiler-wrote-other',
    message: /a file that is no model/,
  },
  {
    name: 'writes a model for another accelerator',
    does: (folder) => {
      writeFileSync(join(folder, 'other.tflite'), compiledModel('edgetpu-custom-op'))
      return `cp '${join(folder, 'other.tflite')}' "$3/model_vela.tflite"`
    },
    code: 'compiler-wrote-other',
    message: /has no operator "ethos-u".*takes static-w8a8-io8/,
  },
  {
    name: 'fails, and says why',
    does: () => 'echo "first the noise"; echo "Error: no such accelerator" >&2; exit 3',
    code: 'compiler-failed',
    message: /ended with code 3: first the noise; Error: no such accelerator/,
  },
  {
    name: 'crashes',
    does: () => 'kill -SEGV $$',
    code: 'compiler-failed',
    message: /was ended by SIGSEGV/,
  },
  {
    name: 'writes more than a model can be',
    does: () => 'head -c 200000000 /dev/zero > "$3/model_vela.tflite"',
    code: 'compiler-failed',
    message: /ended with code|was ended by SIGXFSZ/,
  },
]

for (const { name, does, code, message } of bad) {
  t.test(`a compiler that ${name}`, async (t) => {
    const folder = t.testdir()
    const answersVersion = 'if [ "$1" = --version ]; then echo 9.9.9; exit; fi'
    const compiler = standIn(folder, 'vela', `${answersVersion}\n${does(folder)}`)
    await t.rejects(compile({ model, target: 'ethos-u65-256', compiler, timeoutMs: 2_000 }), {
      code,
      message,
    })
  })
}

t.test('a compiler that is nowhere: how to get it', async (t) => {
  const nowhere = { PATH: t.testdir() }
  await t.rejects(findCompiler('vela', undefined, nowhere), {
    code: 'compiler-missing',
    message: /vela is not on PATH; pip install ethos-u-vela/,
  })
  await t.rejects(findCompiler('vela', '/no/such/vela'), {
    code: 'compiler-missing',
    message: /\/no\/such\/vela cannot be executed/,
  })
  t.match(await compilersHere(nowhere), {
    found: {},
    missing: { vela: /pip install/, edgetpu_compiler: /apt install edgetpu-compiler/ },
  })
})

t.test('a compiler by its variable, and on PATH', async (t) => {
  const folder = t.testdir()
  const path = edgetpuStandIn(folder)
  const version = '16.0.384591198'
  t.match(await findCompiler('edgetpu_compiler', undefined, { FITMENT_EDGETPU_COMPILER: path }), {
    path,
    version,
  })
  t.match(await findCompiler('edgetpu_compiler', undefined, { PATH: folder }), { path, version })
})
