import { z } from 'zod'
import { openWord } from '../open-words.ts'

/** Instruction-set features that decide which kernels an inference runtime picks. */
export const ISA_FEATURES = [
  'neon',
  'asimddp',
  'i8mm',
  'fphp',
  'sve',
  'sve2',
  'bf16',
  'sme',
  'sse4_1',
  'avx',
  'avx2',
  'fma',
  'f16c',
  'avx512f',
  'avx_vnni',
  'avx512_vnni',
  'amx_int8',
  'amx_bf16',
] as const
export type IsaFeature = (typeof ISA_FEATURES)[number]

export const ARCHITECTURES = ['x64', 'ia32', 'arm64', 'arm', 'riscv64', 'other'] as const
export type Architecture = (typeof ARCHITECTURES)[number]

export const ACCELERATORS = [
  'edgetpu',
  'ethos-u',
  'ethos-n',
  'rknpu',
  'hailo',
  'verisilicon',
  'hexagon',
  'jetson',
  'intel-npu',
  'ti-c7x',
  'gpu',
] as const

export const acceleratorSchema = z.object({
  kind: openWord(ACCELERATORS),
  /** The device node, sysfs entry or device-tree node that shows it. */
  evidence: z.string(),
  name: z.string().optional(),
})

/** What a device says it is, in words that grow with the devices. Bytes are bytes, temperatures °C. Sizes of text are bounded: devices may be hostile. */
export const hardwareReportSchema = z.object({
  architecture: openWord(ARCHITECTURES),
  board: z.object({
    /** Device-tree model or DMI product name. */
    model: z.string().max(256).nullable(),
    vendor: z.string().max(256).nullable(),
    /** Device-tree `compatible`, most specific first. */
    compatible: z.array(z.string().max(128)).max(64),
    source: openWord(['device-tree', 'dmi', 'none']),
  }),
  cpu: z.object({
    model: z.string().max(256),
    /** Logical processors that this process may use. */
    cores: z.number().int().min(1).max(4096),
    features: z.array(openWord(ISA_FEATURES)).max(256),
    /** ARM MIDR implementer/part pairs, e.g. 0x41/0xd08 for Cortex-A72, with how many cores have them. */
    parts: z
      .array(
        z.object({
          implementer: z.string().max(16),
          part: z.string().max(16),
          count: z.number().int(),
        }),
      )
      .max(64),
    maxMhz: z.number().nullable(),
  }),
  accelerators: z.array(acceleratorSchema).max(32),
  memory: z.object({
    totalBytes: z.number().int().nonnegative(),
    availableBytes: z.number().int().nonnegative(),
  }),
  /** Of the file system that holds the agent's state; `freeBytes` respects the agent's own budget. */
  storage: z.object({
    totalBytes: z.number().int().nonnegative(),
    freeBytes: z.number().int().nonnegative(),
  }),
  thermalZones: z.array(z.object({ type: z.string().max(64), celsius: z.number() })).max(64),
  os: z.object({
    kernel: z.string().max(256),
    distribution: z.string().max(256).nullable(),
    libc: z.string().max(64).nullable(),
  }),
  battery: z.object({ percent: z.number(), charging: z.boolean() }).nullable(),
  /** True when the identity was read under another root than `/`: emulated identity, measured on this host. */
  emulated: z.boolean(),
})
export type HardwareReport = z.infer<typeof hardwareReportSchema>
export type Accelerator = z.infer<typeof acceleratorSchema>
