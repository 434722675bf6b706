import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { zipSync } from 'fflate'
import t from 'tap'
import { makePackage } from '../../../planner/runtimes/index.ts'
import { isWhole, unpackPackage, verifyPackage } from '../../../shared/runtime-package/index.ts'
import { lacks, nativePath } from '../../native/runtimes.ts'

const METADATA = 'ai_edge_litert-2.3.0.dist-info/METADATA'
const LIBRARY = 'ai_edge_litert/libLiteRt.so'

/** A wheel of these files; text where no bytes are given. */
function wheel(folder: string, files: Record<string, Uint8Array | string>): string {
  const path = join(folder, 'ai_edge_litert-2.3.0-py3-none-any.whl')
  const members = Object.entries(files).map(([name, bytes]) => [name, Buffer.from(bytes)])
  writeFileSync(path, zipSync(Object.fromEntries(members)))
  return path
}

t.test(
  'a wheel of LiteRT becomes its library and its licenses',
  {
    skip: lacks('litertWheel'),
  },
  async (t) => {
    const folder = t.testdir({})
    const made = await makePackage({ path: nativePath('litertWheel') })
    t.match(made.manifest, {
      runtime: 'tflite',
      version: '2.3.0',
      architecture: 'x64',
      libc: 'glibc 2.27',
      library: LIBRARY,
      licenses: ['ai_edge_litert-2.3.0.dist-info/licenses/LICENSE'],
      source: /^ai_edge_litert-2\.3\.0-.*\.whl$/,
    })
    t.same(
      made.manifest.files.map(({ path }) => path).sort(),
      [LIBRARY, 'ai_edge_litert-2.3.0.dist-info/licenses/LICENSE'].sort(),
      'nothing else of the wheel',
    )
    const again = await makePackage({ path: nativePath('litertWheel') })
    t.ok(Buffer.from(made.bytes).equals(again.bytes), 'the same wheel makes the same package')
    const path = join(folder, 'package')
    writeFileSync(path, made.bytes)
    t.same(await verifyPackage(path), made.manifest)
    await unpackPackage(path, join(folder, 'slot'))
    t.ok(await isWhole(join(folder, 'slot')))
    t.same(
      readFileSync(join(folder, 'slot', LIBRARY)),
      readFileSync(nativePath('litert')),
      'the very library of the wheel',
    )
  },
)

t.test(
  'a wheel of OpenVINO becomes what its C API needs on a CPU',
  {
    skip: lacks('openvino'),
  },
  async (t) => {
    const path = join(
      nativePath('openvino'),
      '../../../..',
      'openvino-2026.4.1-22982-cp311-cp311-manylinux_2_28_x86_64.whl',
    )
    const { manifest, bytes } = await makePackage({ path })
    t.match(manifest, { runtime: 'openvino', version: '2026.4.1', architecture: 'x64' })
    t.equal(manifest.library, 'openvino/libs/libopenvino_c.so.2641')
    const names = manifest.files.map(({ path: name }) => name.replace(/^.*\//, ''))
    for (const name of ['libtbb.so.12', 'libopenvino_intel_cpu_plugin.so', 'LICENSE'])
      t.ok(names.includes(name), name)
    t.notOk(names.some((name) => /gpu|npu|pytorch|paddle/.test(name)))
    t.equal(manifest.licenses.length, 4)
    t.ok(bytes.length < 40e6)
  },
)

t.test('a bare library takes its licenses along', { skip: lacks('tflite') }, async (t) => {
  const folder = t.testdir({ NOTICE: 'Apache-2.0' })
  const { manifest } = await makePackage({
    path: nativePath('tflite'),
    version: '2.9.0',
    licenses: [join(folder, 'NOTICE')],
  })
  t.match(manifest, {
    runtime: 'tflite',
    version: '2.9.0',
    library: 'lib/libtensorflowlite_c.so',
    licenses: ['licenses/NOTICE'],
  })
})

t.test('what is no runtime is refused, and said to be what it is', async (t) => {
  const folder = t.testdir({ text: 'hello', empty: '' })
  const refused = (path: string, code: string, message: RegExp) =>
    t.rejects(makePackage({ path }), { name: 'RuntimeFileError', code, message }, message.source)
  await refused(join(folder, 'absent.whl'), 'unreadable', /cannot read/)
  await refused(join(folder, 'text'), 'no-runtime', /neither a wheel nor a shared library/)
  await refused(join(folder, 'empty'), 'no-runtime', /neither/)
  await refused(wheel(folder, { 'a.txt': 'x' }), 'no-runtime', /an archive, but no wheel/)
  await refused(
    wheel(folder, { 'numpy-2.0.dist-info/METADATA': 'x' }),
    'no-runtime',
    /a wheel of numpy, in which no runtime is known/,
  )
  await refused(wheel(folder, { [METADATA]: 'x' }), 'no-runtime', /lacks the library .*libLiteRt/)
  await refused(
    wheel(folder, { [METADATA]: 'x', [LIBRARY]: 'MZ, of Windows' }),
    'no-runtime',
    /no shared library for Linux/,
  )
  await refused(
    wheel(folder, { [METADATA]: 'x', '../../etc/passwd': 'x' }),
    'hostile-archive',
    /names a file outside itself/,
  )
  const cut = wheel(folder, { [METADATA]: 'x', [LIBRARY]: 'a library'.repeat(1000) })
  writeFileSync(cut, readFileSync(cut).subarray(0, -30))
  await refused(cut, 'damaged', /damaged: .*download it again/)
})

t.test('a wheel that says it unpacks to more than there may be is not unpacked', async (t) => {
  const path = wheel(t.testdir({}), { [METADATA]: 'x', [LIBRARY]: Buffer.alloc(2 ** 20) })
  const bytes = readFileSync(path)
  const entry = bytes.lastIndexOf(LIBRARY) - 46
  bytes.writeUInt32LE(2 ** 30, entry + 24)
  writeFileSync(path, bytes)
  await t.rejects(makePackage({ path }), { code: 'too-large', message: /1\.0 GiB unpacked/ })
  // One that lies about it is stopped at its claim.
  bytes.writeUInt32LE(2 ** 10, entry + 24)
  writeFileSync(path, bytes)
  await t.rejects(makePackage({ path }), { code: 'damaged' })
})

t.test('a library of another kind, without symbols or cut short', async (t) => {
  const folder = t.testdir({ 'other.c': 'int other(void) { return 1; }' })
  const other = join(folder, 'libother.so')
  execFileSync('cc', ['-shared', '-fPIC', '-o', other, join(folder, 'other.c')])
  await t.rejects(makePackage({ path: other }), {
    code: 'missing-symbols',
    message: /lacks TfLiteVersion, LiteRtCreateEnvironment, ov_core_create/,
  })
  writeFileSync(other, readFileSync(other).subarray(0, 4096))
  await t.rejects(makePackage({ path: other }), { code: 'no-runtime', message: /cut short/ })
})

t.test('a wheel with libraries for several machines', { skip: lacks('openvino') }, async (t) => {
  const folder = t.testdir({})
  const libs = join(nativePath('openvino'), '..')
  const names = [
    'libopenvino_c.so.2641',
    'libopenvino.so.2641',
    'libtbb.so.12',
    'libopenvino_ir_frontend.so.2641',
    'libopenvino_onnx_frontend.so.2641',
    'libopenvino_tensorflow_lite_frontend.so.2641',
    'libopenvino_intel_cpu_plugin.so',
  ]
  // Small ones will do: only headers and symbols are read.
  const small = readFileSync(join(libs, 'libopenvino_c.so.2641'))
  const arm = Buffer.from(small)
  arm.writeUInt16LE(183, 18)
  const files = names.map((name) => [`openvino/libs/${name}`, /tbb/.test(name) ? arm : small])
  const path = wheel(folder, {
    'openvino-1.0.dist-info/METADATA': 'x',
    ...Object.fromEntries(files),
  })
  await t.rejects(makePackage({ path }), {
    code: 'mixed-architectures',
    message: /mixes libraries for x64 and arm64/,
  })
})
