import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  findNative,
  nativeTableSchema,
  readNativeTable,
} from '../../../shared/native-paths/index.ts'

const table = await readNativeTable()
const board = (
  architecture: 'arm64' | 'x64',
  ...kinds: ('verisilicon' | 'hexagon' | 'ti-c7x')[]
) => ({
  architecture,
  accelerators: kinds.map((kind) => ({ kind, evidence: '/dev/it' })),
})

t.test('an i.MX 8M Plus with NXP’s image', async (t) => {
  const root = t.testdir({
    usr: {
      lib: {
        'libtensorflow-lite.so.2.18.0': 'library',
        'libvx_delegate.so': 'delegate',
        'libedgetpu.so.1': 'of a stick that is not there',
        teflon: { 'libteflon.so': 'another' },
      },
    },
  })
  const lib = join(root, 'usr', 'lib')
  symlinkSync('libtensorflow-lite.so.2.18.0', join(lib, 'libtensorflow-lite.so'))
  t.same(await findNative(table, board('arm64', 'verisilicon'), root), {
    libraries: [{ runtime: 'tflite', path: '/usr/lib/libtensorflow-lite.so' }],
    delegates: [
      { name: 'vx', runtime: 'tflite', path: '/usr/lib/libvx_delegate.so', options: {}, asks: [] },
      {
        name: 'teflon',
        runtime: 'tflite',
        path: '/usr/lib/teflon/libteflon.so',
        options: {},
        asks: [],
      },
    ],
  })
  t.same(
    (await findNative(table, board('arm64'), root)).delegates,
    [],
    'no accelerator, no delegate',
  )
})

t.test('options that belong to a delegate, and those that its operator must give', async (t) => {
  const root = t.testdir({
    usr: { lib: { 'libQnnTFLiteDelegate.so': '', 'libtidl_tfl_delegate.so': '' } },
  })
  const { delegates } = await findNative(table, board('arm64', 'hexagon', 'ti-c7x'), root)
  t.match(delegates, [
    { name: 'qnn', options: { backend_type: 'htp' }, asks: [] },
    { name: 'tidl', asks: ['artifacts_folder'] },
  ])
})

t.test('folders of the architecture, and of whichever Python', async (t) => {
  const root = t.testdir({
    usr: {
      lib: { 'x86_64-linux-gnu': { 'libopenvino_c.so.2641': '' }, 'aarch64-linux-gnu': {} },
      local: {
        lib: { 'python3.11': { 'dist-packages': { ai_edge_litert: { 'libLiteRt.so': '' } } } },
      },
    },
  })
  t.same((await findNative(table, board('x64'), root)).libraries, [
    {
      runtime: 'tflite',
      path: '/usr/local/lib/python3.11/dist-packages/ai_edge_litert/libLiteRt.so',
    },
    { runtime: 'openvino', path: '/usr/lib/x86_64-linux-gnu/libopenvino_c.so.2641' },
  ])
  t.equal((await findNative(table, board('arm64'), root)).libraries.length, 1)
})

t.test('a table that leads elsewhere is none', async (t) => {
  const row = (path: string, runtime = 'tflite') => ({
    libraries: [{ runtime, paths: [path], source: 'a test' }],
    delegates: [],
  })
  t.ok(nativeTableSchema.safeParse(row('/usr/lib/libx.so*')).success)
  for (const path of ['lib/libx.so', '/usr/../etc/libx.so', '/usr/lib/..', '']) {
    t.notOk(nativeTableSchema.safeParse(row(path)).success, path)
  }
  t.notOk(nativeTableSchema.safeParse(row('/usr/lib/libx.so', 'litert')).success, 'packaged')
})
