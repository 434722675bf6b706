import type { NativeParts } from './native-parts.ts'

export interface DemoDevice {
  readonly device: string
  /** Captured device tree under `devices/` whose identity the agent takes on; null: this host as it is. */
  readonly tree: string | null
  /** What makes it different, for the table's reader. */
  readonly story: string
  /** Its own settings, as flags of the agent. */
  readonly flags: readonly string[]
  /** It is offline while the others are served, and must catch up. */
  readonly late?: boolean
}

const WASM_ONLY = ['--runtimes', 'litert']

/**
 * Six devices: five boards and this host. Identities are captured, every number is measured on this host. What tells them
 * apart is real: what their applications link, what their storage and memory hold. Rows that need a native library or a
 * compiler are others where this host has none.
 */
export function demoFleet({ library, standIn }: NativeParts): readonly DemoDevice[] {
  const withStandIn = standIn && [
    ...['--runtimes', 'tflite', '--library', `tflite=${standIn.library}`],
    ...['--delegate', `stand-in=${standIn.delegate},type=float`, '--delegated-only'],
  ]
  return [
    {
      device: 'pump-1',
      tree: 'raspberry-pi-4',
      story: 'Raspberry Pi 4, whose application runs models in WebAssembly',
      flags: WASM_ONLY,
    },
    withStandIn
      ? {
          device: 'press-1',
          tree: 'rock-5b',
          story:
            'RK3588, whose application runs on an accelerator that knows floats only; a delegate of our own, built just now with gcc, stands in for it: it computes on this processor',
          flags: withStandIn,
        }
      : {
          device: 'press-1',
          tree: 'rock-5b',
          story: 'RK3588, whose application links ONNX Runtime',
          flags: ['--runtimes', 'onnxruntime'],
        },
    {
      device: 'fan-1',
      tree: 'imx8mp-evk',
      story: 'i.MX 8M Plus with 1 MiB for models: beside the test data only int8 weights fit',
      // Of which 5 % stay in reserve, the test data takes 898 KiB, weight-w8 78, float16 104, float32 168.
      flags: ['--storage-limit', '1040KiB', '--runtimes', 'onnxruntime'],
    },
    {
      device: 'valve-1',
      tree: 'raspberry-pi-zero-2-w',
      story: 'Raspberry Pi Zero 2 W with a tight RAM limit: what a runtime takes decides',
      flags: ['--memory-limit', '150MiB'],
    },
    library
      ? {
          device: 'this-host',
          tree: null,
          story: `this machine, whose application links the native library ${library}`,
          flags: ['--runtimes', 'tflite', '--library', `tflite=${library}`],
        }
      : { device: 'this-host', tree: null, story: 'this machine as it is', flags: [] },
    {
      device: 'pump-2',
      tree: 'raspberry-pi-4',
      story: 'a second Raspberry Pi 4, offline until the others are served',
      flags: WASM_ONLY,
      late: true,
    },
  ]
}
