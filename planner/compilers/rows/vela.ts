import { type Compiler, numberIn, type Reported } from '../compiler.ts'

/** Arm's, for Ethos-U. Its system configuration and memory mode are its defaults for the accelerator. */
export const VELA: Compiler = {
  name: 'vela',
  command: 'vela',
  variable: 'FITMENT_VELA',
  versionArguments: ['--version'],
  version: (said) => /^\s*(\d+\.\d+\S*)\s*$/m.exec(said)?.[1] ?? null,
  arguments: ({ model, out, configuration }) => [
    model,
    '--output-dir',
    out,
    ...(configuration === null ? [] : ['--accelerator-config', configuration]),
  ],
  output: 'model_vela.tflite',
  report: (said, written) => {
    const npu = numberIn(said, /^NPU operators = (\d+)/m)
    const cpu = numberIn(said, /^CPU operators = (\d+)/m)
    const operators = npu === null || cpu === null ? null : { accelerator: npu, cpu }
    return { operators, ...summary(written) }
  },
  install:
    'pip install ethos-u-vela in a virtual environment, then put vela on PATH, or name it with --compiler or in FITMENT_VELA',
}

/** A table of one row beside the model: memory in KiB, times in seconds. */
function summary(written: ReadonlyMap<string, string>): Omit<Reported, 'operators'> {
  const name = [...written.keys()].find((file) => /_summary_.*\.csv$/.test(file))
  const [head = '', row = ''] = (written.get(name ?? '') ?? '').split(/\r?\n/)
  const cells = row.split(',')
  const columns = new Map(head.split(',').map((column, at) => [column, Number(cells[at] ?? '')]))
  const figure = (column: string) => {
    const value = columns.get(column)
    return value === undefined || !Number.isFinite(value) ? null : value
  }
  const bytes = (...names: string[]) => {
    const all = names.map(figure).filter((value) => value !== null)
    return all.length === 0 ? null : Math.round(1024 * all.reduce((sum, value) => sum + value, 0))
  }
  const seconds = figure('inference_time')
  return {
    sramBytes: bytes('sram_memory_used'),
    dramBytes: bytes('dram_memory_used'),
    flashBytes: bytes('on_chip_flash_memory_used', 'off_chip_flash_memory_used'),
    cycles: figure('cycles_total'),
    inferenceMs: seconds === null ? null : 1000 * seconds,
  }
}
