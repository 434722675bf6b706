import { execFile } from 'node:child_process'
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'

const execute = promisify(execFile)
const root = process.cwd()
const SOURCES = ['agent', 'broker', 'planner', 'shared', 'firmware-profiles']

/** A copy of the sources, to which a third runtime is added as CONTRIBUTING says. */
function copyOfSources(folder: string): string {
  for (const name of SOURCES) cpSync(join(root, name), join(folder, name), { recursive: true })
  for (const name of ['package.json', 'tsconfig.json']) cpSync(join(root, name), join(folder, name))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

function insert(folder: string, path: string, before: string, text: string): void {
  const file = join(folder, path)
  const source = readFileSync(file, 'utf8')
  if (!source.includes(before)) throw new Error(`${path} has no "${before}"`)
  writeFileSync(file, source.replace(before, `${text}${before}`))
}

/** Files in which the compiler finds errors. */
async function compile(folder: string, ...flags: string[]): Promise<string[]> {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  try {
    await execute(process.execPath, [tsc, '-p', 'tsconfig.json', ...flags], { cwd: folder })
    return []
  } catch (error) {
    const { stdout } = error as { readonly stdout: string }
    const files = [...stdout.matchAll(/^([\w/.-]+)\(\d+,\d+\): error/gm)].map(([, file]) => file)
    if (files.length === 0) throw error
    return [...new Set(files.flatMap((file) => file ?? []))].sort()
  }
}

const ADAPTER = `
import { litertInProcess } from './litert/in-process.ts'
import type { Runtime } from './runtime.ts'

/** LiteRT under another name: what a third runtime looks like from outside. */
export const toy: Runtime = {
  name: 'toy',
  version: '1.0',
  load: (model, options) => litertInProcess.load(model, options),
}
`

const TRY = `
import { readFileSync } from 'node:fs'
import { readDataset, takeSamples } from './dist/shared/dataset/index.js'
import { loadRuntime } from './dist/shared/runtime/index.js'
import { parseScheme } from './dist/shared/schemes.js'
import { loadProfiles } from './dist/planner/classes/index.js'
import { planVariants } from './dist/planner/variants/index.js'
import { quantize } from './dist/planner/variants/quantizer.js'

const demo = 'planner/demo/motor-faults'
const model = readFileSync(demo + '/model.tflite')
const calibration = takeSamples(await readDataset(demo + '/calibration.npz'), 8)
const scheme = parseScheme('static-w8a8')
const { bytes, format, target } = await quantize({ model, target: 'toy', scheme, calibration })
const runtime = await loadRuntime('toy')
const session = await runtime.load(bytes)
const outputs = session.outputs.length
await session.close()
const [profile] = (await loadProfiles()).filter(({ id }) => id === 'raspberry-pi-4')
const facts = {
  format: 'tflite', bytes: model.length, inputs: [], outputs: [], operators: [], floatElements: 30000,
  hybridElements: 20000, integerElements: 30000, quantizedElements: 0, largestActivationBytes: 4096,
  onnx: { obstacle: 'not asked' },
  tflite: { hybridElements: 94_000, integerElements: 94_000 },
}
const { kept } = planVariants({
  model: facts, hasCalibration: true, maxBytes: null,
  target: {
    id: 'raspberry-pi-4', architecture: 'arm64', features: [], targets: ['toy'], oldestVersions: {},
    onnxForm: null, storageBytes: null, memoryBytes: null,
  },
})
console.log(JSON.stringify({
  format, target, outputs, supported: profile.runtimes.toy.supported,
  kept: kept.map(({ scheme, runtime }) => scheme + ' ' + runtime),
}))
`

t.test('a third runtime is a row, an adapter, and lines in profiles', async (t) => {
  const folder = copyOfSources(t.testdir({}))
  insert(
    folder,
    'shared/runtime/runtime.ts',
    '} as const satisfies',
    `  toy: {
    format: 'tflite',
    alsoTakes: [],
    from: { package: '@litertjs/core', needs: 'package.json' },
  },\n`,
  )
  t.same(
    await compile(folder, '--noEmit'),
    ['planner/targets/targets.ts', 'shared/runtime/load-runtime.ts'],
    'the compiler asks for the row and the adapter, and for nothing else',
  )

  insert(
    folder,
    'shared/runtime/load-runtime.ts',
    '  onnxruntime: {\n    isolated',
    `  toy: {
    isolated: async () => (await import('./toy.ts')).toy,
    inProcess: async () => (await import('./toy.ts')).toy,
  },\n`,
  )
  writeFileSync(join(folder, 'shared', 'runtime', 'toy.ts'), ADAPTER)
  insert(
    folder,
    'planner/targets/targets.ts',
    '}\n\n/** The row',
    `  toy: {
    ...LITERT_FILES,
    runtime: 'toy',
    runsHereIn: 'toy',
    format: RUNTIMES.toy.format,
    releases: null,
    timesHere: 'same-library',
  },\n`,
  )
  const { stdout: listed } = await execute('ls', [join(folder, 'firmware-profiles')])
  for (const name of listed
    .split('\n')
    .filter((one) => /^(?!profile\.schema).*\.json$/.test(one))) {
    const path = join(folder, 'firmware-profiles', name)
    const profile = JSON.parse(readFileSync(path, 'utf8'))
    profile.runtimes.toy = { supported: true, why: 'a test' }
    writeFileSync(path, JSON.stringify(profile))
  }
  t.same(await compile(folder, '--sourceMap', 'false'), [])
  writeFileSync(join(folder, 'try.mjs'), TRY)
  const { stdout } = await execute(process.execPath, ['try.mjs'], { cwd: folder })
  t.match(JSON.parse(stdout), {
    format: 'tflite',
    target: 'toy',
    outputs: 1,
    supported: true,
    kept: ['float32 toy', 'float16 toy', 'dynamic-w8 toy', 'static-w8a8 toy'],
  })
})
