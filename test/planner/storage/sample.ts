import type { NewModel } from '../../../planner/storage/models.ts'
import type { QualityRecord } from '../../../shared/measure/index.ts'
import type { Birth } from '../../../shared/messages/birth.ts'
import type { HardwareReport } from '../../../shared/messages/hardware-report.ts'

export const hardware: HardwareReport = {
  architecture: 'arm64',
  board: {
    model: 'Raspberry Pi 4 Model B Rev 1.4',
    vendor: null,
    compatible: ['raspberrypi,4-model-b', 'brcm,bcm2711'],
    source: 'device-tree',
  },
  cpu: {
    model: 'Cortex-A72',
    cores: 4,
    features: ['neon'],
    parts: [{ implementer: '0x41', part: '0xd08', count: 4 }],
    maxMhz: 1800,
  },
  accelerators: [],
  memory: { totalBytes: 4e9, availableBytes: 3e9 },
  storage: { totalBytes: 32e9, freeBytes: 20e9 },
  thermalZones: [],
  os: { kernel: '6.6', distribution: 'Debian 12', libc: 'glibc 2.36' },
  battery: null,
  emulated: true,
}

export function birth(connection: number, over: Partial<Birth> = {}): Birth {
  return {
    v: 1,
    id: `birth-${connection}`,
    epoch: { start: 'start-1', connection },
    agentVersion: '0.1.0',
    report: hardware,
    runtimes: [{ name: 'litert', version: '2.5.3' }],
    memoryLimitBytes: null,
    slots: [],
    roots: { director: 0, image: 0 },
    ...over,
  }
}

const quality: QualityRecord = {
  samples: 200,
  accuracy: 0.95,
  accuracyCi95: null,
  referenceAccuracy: 0.95,
  agreement: 1,
  agreementCi95: null,
  sqnrDb: 200,
  maxAbsError: 0,
  meanAbsError: 0,
  outputs: [],
  notFinite: 0,
  mcnemar: null,
  notes: [],
}

export const newModel: NewModel = {
  name: 'motor',
  source: 'a'.repeat(64),
  calibration: 'b'.repeat(64),
  calibrationSamples: 100,
  test: 'c'.repeat(64),
  testSamples: 200,
  labelled: true,
  objective: 'latency',
  constraints: { maxAccuracyDrop: 0.01, maxLatencyMs: null, maxMemoryBytes: null, maxBytes: null },
  facts: {
    format: 'tflite',
    bytes: 400_000,
    inputs: [{ name: 'x', type: 'float32', shape: [1, 32, 32, 3] }],
    outputs: [{ name: 'y', type: 'float32', shape: [1, 6] }],
    operators: [{ kind: 'conv', count: 4 }],
    floatElements: 95_000,
    hybridElements: 94_000,
    integerElements: 94_000,
    quantizedElements: 0,
    largestActivationBytes: 65_536,
    onnx: { opset: 17, hybridElements: 94_000, integerElements: 94_000, blockElements: 0 },
    tflite: { hybridElements: 94_000, integerElements: 94_000 },
  },
  findings: [],
  reference: {
    whole: 'd'.repeat(64),
    slice: 'e'.repeat(64),
    wholeQuality: quality,
    sliceQuality: quality,
  },
}
