import { ISA_FEATURES, type IsaFeature } from '../../shared/messages/index.ts'

/** Words of the `flags` line (x86) and of the `Features` line (ARM) in /proc/cpuinfo. */
export type FlagDialect = 'x86' | 'arm'

/**
 * Which kernel flag shows which feature.
 * Sources: Linux Documentation/arch/arm64/elf_hwcaps.rst, arch/arm/kernel/setup.c, arch/x86/include/asm/cpufeatures.h.
 */
const FLAGS: Readonly<Record<IsaFeature, Partial<Record<FlagDialect, readonly string[]>>>> = {
  neon: { arm: ['asimd', 'neon'] },
  asimddp: { arm: ['asimddp'] },
  i8mm: { arm: ['i8mm'] },
  fphp: { arm: ['fphp'] },
  sve: { arm: ['sve'] },
  sve2: { arm: ['sve2'] },
  bf16: { arm: ['bf16', 'asimdbf16'] },
  sme: { arm: ['sme'] },
  sse4_1: { x86: ['sse4_1'] },
  avx: { x86: ['avx'] },
  avx2: { x86: ['avx2'] },
  fma: { x86: ['fma'] },
  f16c: { x86: ['f16c'] },
  avx512f: { x86: ['avx512f'] },
  avx_vnni: { x86: ['avx_vnni'] },
  avx512_vnni: { x86: ['avx512_vnni'] },
  amx_int8: { x86: ['amx_int8'] },
  amx_bf16: { x86: ['amx_bf16'] },
}

export function featuresOf(flags: ReadonlySet<string>, dialect: FlagDialect): IsaFeature[] {
  return ISA_FEATURES.filter((feature) =>
    (FLAGS[feature][dialect] ?? []).some((flag) => flags.has(flag)),
  )
}
