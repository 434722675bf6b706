import t from 'tap'
import { parseCpuinfo } from '../../../agent/inventory/cpuinfo.ts'

t.test('architecture from the form of the text', async (t) => {
  const forms: [string, string][] = [
    ['flags : fpu sse2 lm\n', 'x64'],
    ['flags : fpu sse2\n', 'ia32'],
    ['Features : fp asimd crc32\n', 'arm64'],
    ['Features : half thumb vfp neon\n', 'arm'],
    ['processor : 0\nisa : rv64imafdc\n', 'riscv64'],
    ['flags : banana\n', 'other'],
    ['', 'other'],
  ]
  for (const [text, architecture] of forms) t.equal(parseCpuinfo(text).architecture, architecture)
})

t.test('features are those that every processor has', async (t) => {
  const { features, processors } = parseCpuinfo(
    'processor : 0\nFeatures : fp asimd asimddp i8mm\n\nprocessor : 1\nFeatures : fp asimd asimddp\n',
  )
  t.same(features, ['neon', 'asimddp'])
  t.equal(processors, 2)
})

t.test('x86 words and ARM words do not mix', async (t) => {
  t.same(parseCpuinfo('flags : fpu lm neon asimd avx2\n').features, ['avx2'])
  t.same(parseCpuinfo('Features : fp asimd avx2\n').features, ['neon'])
})

t.test('cores are counted by kind', async (t) => {
  const core = (n: number, part: string) =>
    `processor : ${n}\nCPU implementer : 0x41\nCPU part : ${part}\n\n`
  const text = core(0, '0xd05') + core(1, '0xd05') + core(2, '0xd0b')
  t.same(parseCpuinfo(text).parts, [
    { implementer: '0x41', part: '0xd05', count: 2 },
    { implementer: '0x41', part: '0xd0b', count: 1 },
  ])
})

t.test('old kernels list the processors first and the part once', async (t) => {
  const text =
    'Processor : AArch64 Processor rev 4 (aarch64)\nprocessor : 0\nprocessor : 1\n' +
    'Features : fp asimd\nCPU implementer : 0x41\nCPU part : 0xd03\n'
  const info = parseCpuinfo(text)
  t.same(info.parts, [{ implementer: '0x41', part: '0xd03', count: 2 }])
  t.equal(info.modelName, 'AArch64 Processor rev 4 (aarch64)')
})

t.test('noise gives nothing, and no error', async (t) => {
  const noise = 'processor\n: :\nCPU part : 0xZZ\nCPU implementer\nflags\n\0\0:\0'
  const info = parseCpuinfo(noise)
  t.same([info.processors, info.features, info.parts, info.modelName], [0, [], [], null])
})
