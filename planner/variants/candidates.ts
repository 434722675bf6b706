import { PACKAGED_RUNTIMES } from '../../shared/runtime/index.ts'
import { type BaseScheme, parseScheme } from '../../shared/schemes.ts'
import { formatBytes } from '../../shared/units.ts'
import type { OnnxForm } from '../classes/index.ts'
import {
  type CompilerName,
  onlyScheme,
  type Target,
  type TargetName,
  targetOf,
} from '../targets/index.ts'
import { FORM_REASONS, formFor } from './code-form.ts'
import type { ClassFacts, ModelFacts } from './facts.ts'
import { oldRelease } from './old-release.ts'
import type { Tuning } from './tuning.ts'

export interface Candidate {
  readonly scheme: string
  /** The target that the file is for; called so because columns and messages of old are. */
  readonly runtime: TargetName
  /** Where the file is not the usual one of its scheme. */
  readonly tuning?: Tuning
}

export interface PlanInput {
  readonly model: ModelFacts
  readonly hasCalibration: boolean
  readonly target: ClassFacts
  /** The operator's own limit on the file. */
  readonly maxBytes: number | null
  /** The only runtimes that applications load; absent or null: all. */
  readonly runtimes?: readonly string[] | null
  /** How to get each compiler that this host lacks; of the others, it has them. */
  readonly missingCompilers?: Readonly<Partial<Record<CompilerName, string>>>
}

export interface VariantPlan {
  readonly kept: readonly (Candidate & { readonly reason: string })[]
  readonly dropped: readonly (Candidate & { readonly reason: string })[]
}

/** Answers why a candidate is dropped; undefined when this need is met. */
type Need = (input: PlanInput, candidate: Candidate) => string | undefined

const NEEDS = {
  runtime: ({ target }, { runtime }) =>
    target.targets.includes(runtime) ? undefined : `no device of the class has ${runtime}`,
  format: ({ model }, { runtime }) => {
    const wanted = targetOf(runtime).format
    if (wanted === model.format) return undefined
    return 'obstacle' in model[wanted] ? model[wanted].obstacle : undefined
  },
  loaded: ({ runtimes = null }, { runtime: target }) => {
    const { runtime } = targetOf(target)
    if (runtimes === null || runtimes.includes(runtime)) return undefined
    return `its applications load ${runtimes.join(', ')} only, not ${runtime}`
  },
  opset: ({ model, target }, { runtime }) =>
    'opset' in model.onnx
      ? targetOf(runtime).opsetObstacle(
          model.onnx.opset,
          target.oldestVersions[targetOf(runtime).runtime] ?? null,
        )
      : undefined,
  compiler: ({ missingCompilers = {} }, { runtime }) => {
    const compiler = targetOf(runtime).accelerator?.compiler?.name
    const how = compiler && missingCompilers[compiler]
    return how && `${runtime} takes files that ${compiler} makes, and this host has none: ${how}`
  },
  floatWeights: ({ model }) =>
    model.floatElements > 0 ? undefined : 'the source has no float weights left to store smaller',
  calibration: ({ hasCalibration }) =>
    hasCalibration
      ? undefined
      : 'calibration data is needed for integer activations: add --calibration',
  hybridKernels: ({ model }, candidate) =>
    kernelsOf(model, candidate).hybridElements > 0
      ? undefined
      : 'no operator of the model has a kernel for int8 weights with float activations, and weights worth it',
  beyondHybrid: ({ model }, candidate) =>
    4 * kernelsOf(model, candidate).hybridElements < 3 * model.floatElements
      ? undefined
      : 'dynamic-w8 stores as much in int8, and computes on it',
  integerKernels: ({ model }, candidate) =>
    kernelsOf(model, candidate).integerElements > 0
      ? undefined
      : 'no operator with weights has an integer kernel',
  /** The file is smaller by what becomes int4; kernels exist for matrix products alone. */
  blockKernels: ({ model }) => {
    const elements = 'opset' in model.onnx ? model.onnx.blockElements : 0
    return 2 * elements >= model.floatElements
      ? undefined
      : 'less than half of the weights are of matrix products, which alone have kernels for int4 blocks'
  },
  onnxForm: ({ target }, { scheme }) => {
    const form = classForm(target)
    return scheme.startsWith(`static-w8a8-${form}`) && !(form === 'u8s8' && scheme.includes('-rr'))
      ? undefined
      : `${target.id} computes best on -${form}: ${FORM_REASONS[form]}`
  },
  narrowSums: ({ target }) =>
    classForm(target) === 'u8s8-rr'
      ? undefined
      : `sums of products do not saturate on ${target.id}`,
  wideSums: ({ target }, { runtime }) =>
    !targetOf(runtime).codes.narrowSums || classForm(target) !== 'u8s8-rr'
      ? undefined
      : `${target.id} computes right on dynamic-w8-rr: ${FORM_REASONS['u8s8-rr']}`,
  storage: ({ model, target, maxBytes }, candidate) => {
    const least = leastBytes(model, candidate)
    const most = Math.min(target.storageBytes ?? Infinity, maxBytes ?? Infinity)
    if (least <= most) return undefined
    const whose = most === maxBytes ? 'allowed' : 'of storage on the devices of the class'
    return `takes at least ${formatBytes(least)}, ${formatBytes(most)} ${whose}`
  },
  memory: ({ model, target }, candidate) => {
    const least =
      leastBytes(model, candidate) + model.largestActivationBytes * activationShare(candidate)
    if (target.memoryBytes === null || least <= target.memoryBytes) return undefined
    return `takes at least ${formatBytes(least)} of memory, the devices of the class leave ${formatBytes(target.memoryBytes)}`
  },
} as const satisfies Record<string, Need>
type NeedName = keyof typeof NEEDS

const ALWAYS = ['runtime', 'loaded', 'format', 'opset', 'compiler', 'storage', 'memory'] as const

/** A file of float32 weights is a file of its runtime's format; kernels are its runtime's. */
function kernelsOf(model: ModelFacts, { runtime }: Candidate) {
  const { format } = targetOf(runtime)
  const facts = format === model.format ? model : model[format]
  return 'obstacle' in facts ? model : facts
}

interface CandidateRow {
  readonly scheme: string
  /** Targets it is a file for at all; all where absent. */
  readonly fits?: (target: Target) => boolean
  readonly needs: readonly NeedName[]
  readonly tuning?: Tuning
  /** Why it is worth building. */
  readonly because: string
}

const takesFloats = (target: Target) => onlyScheme(target) === null
const choosesForm = ({ codes }: Target) => Object.keys(codes.bySuffix).length > 0
const hasOneForm = (target: Target) => !choosesForm(target) && takesFloats(target)
const hasNarrowSums = ({ codes }: Target) => codes.narrowSums
const hasBlockKernels = ({ kernels }: Target) => Object.values(kernels).some((row) => row.blocks)

/** Every variant that may exist. A scheme is a row; what keeps it from a class is one of its needs. */
const CANDIDATES: readonly CandidateRow[] = [
  {
    scheme: 'float32',
    fits: takesFloats,
    needs: [],
    because: 'the source as given: what the others are measured against',
  },
  {
    scheme: 'float16',
    fits: takesFloats,
    needs: ['floatWeights'],
    because: 'half the file, next to no loss',
  },
  {
    scheme: 'dynamic-w8',
    fits: takesFloats,
    needs: ['floatWeights', 'hybridKernels', 'wideSums'],
    because: 'a quarter of the file, needs no calibration',
  },
  {
    scheme: 'dynamic-w8-rr',
    fits: hasNarrowSums,
    needs: ['floatWeights', 'hybridKernels', 'narrowSums'],
    because: `a quarter of the file, needs no calibration; ${FORM_REASONS['u8s8-rr']}`,
  },
  {
    scheme: 'static-w8a8',
    fits: hasOneForm,
    needs: ['integerKernels', 'calibration'],
    because: 'a quarter of the file, integer arithmetic',
  },
  {
    scheme: 'static-w8a8-io8',
    fits: (target) => onlyScheme(target) === 'static-w8a8-io8',
    needs: ['integerKernels', 'calibration'],
    because: 'integers throughout, which is all that the accelerator takes',
  },
  {
    scheme: 'static-w8a8-iou8',
    fits: (target) => onlyScheme(target) === 'static-w8a8-iou8',
    needs: ['integerKernels', 'calibration'],
    because: 'integers throughout, which is all that the accelerator takes, and unsigned edges',
  },
  {
    scheme: 'static-w8a8-s8s8',
    fits: choosesForm,
    needs: ['integerKernels', 'calibration', 'onnxForm'],
    because: `a quarter of the file, integer arithmetic; ${FORM_REASONS.s8s8}`,
  },
  {
    scheme: 'static-w8a8-u8s8',
    fits: choosesForm,
    needs: ['integerKernels', 'calibration', 'onnxForm'],
    because: `a quarter of the file, integer arithmetic; ${FORM_REASONS.u8s8}`,
  },
  {
    scheme: 'static-w8a8-u8s8-rr',
    fits: choosesForm,
    needs: ['integerKernels', 'calibration', 'onnxForm'],
    because: `a quarter of the file, integer arithmetic; ${FORM_REASONS['u8s8-rr']}`,
  },
  {
    scheme: 'static-w8a8-u8s8-mixed',
    fits: hasNarrowSums,
    needs: ['integerKernels', 'calibration', 'narrowSums'],
    tuning: { spare: 'saturating' },
    because: '8-bit weights, and float where their sums would often saturate int16',
  },
  {
    scheme: 'weight-w8',
    fits: takesFloats,
    needs: ['floatWeights', 'beyondHybrid'],
    because:
      'a quarter of the file at the speed of float, whatever the operators, needs no calibration',
  },
  {
    scheme: 'weight-w4-b32',
    fits: hasBlockKernels,
    needs: ['floatWeights', 'blockKernels'],
    because: 'an eighth of the file, int8 arithmetic block by block',
  },
]

/** Pure: which files shall exist for a class, and a reason for each one kept or dropped. */
export function planVariants(input: PlanInput): VariantPlan {
  const judged = CANDIDATES.flatMap((row) =>
    targetsOf(row, input.target).map((runtime) => {
      const { scheme } = row
      const release = isQuantized(scheme) ? oldRelease(runtime, input.target) : undefined
      const tuning = release === undefined ? row.tuning : { ...row.tuning, release }
      const candidate: Candidate = { scheme, runtime, ...(tuning && { tuning }) }
      const because = release
        ? `${row.because}; as TensorFlow Lite ${release} knows it`
        : row.because
      const obstacles = [...ALWAYS, ...row.needs].flatMap(
        (need) => (NEEDS[need] as Need)(input, candidate) ?? [],
      )
      return { ...candidate, obstacles, reason: obstacles[0] ?? because }
    }),
  )
  const bare = ({ obstacles: _, ...candidate }: (typeof judged)[number]) => candidate
  return {
    kept: judged.filter(({ obstacles }) => obstacles.length === 0).map(bare),
    dropped: judged.filter(({ obstacles }) => obstacles.length > 0).map(bare),
  }
}

function isQuantized(scheme: string): boolean {
  return parseScheme(scheme).base !== 'float32'
}

/**
 * Every runtime that comes with this program, for people to see why it was dropped; libraries and accelerators of devices
 * only where a device has them.
 */
function targetsOf(
  { fits = () => true }: CandidateRow,
  { targets }: ClassFacts,
): readonly TargetName[] {
  const judged = new Set<TargetName>([...PACKAGED_RUNTIMES, ...targets])
  return [...judged].filter((name) => fits(targetOf(name)))
}

type Kernels = Pick<ModelFacts, 'hybridElements' | 'integerElements'>

/** Bytes saved in each base scheme: by which of the float elements, and how much each. */
const SAVING: Record<BaseScheme, (floats: number, kernels: Kernels) => number> = {
  float32: () => 0,
  float16: (floats) => 2 * floats,
  'dynamic-w8': (floats) => 3 * floats,
  'static-w8a8': (floats, { integerElements }) => 3 * Math.min(integerElements, floats),
  'static-w8a16': (floats, { integerElements }) => 3 * Math.min(integerElements, floats),
  'weight-w8': (floats) => 3 * floats,
  'weight-w4-b32': (floats) => 3.5 * floats,
}

/** A lower bound: what is dropped for it could never have fitted. The built file is checked again. */
export function leastBytes(model: ModelFacts, candidate: Candidate): number {
  const saving = SAVING[parseScheme(candidate.scheme).base]
  const kernels = kernelsOf(model, candidate)
  return Math.max(0, Math.floor(model.bytes - saving(model.floatElements, kernels)))
}

/** Activations of a static scheme take a quarter, or half, of the float ones. */
function activationShare({ scheme }: Candidate): number {
  const { base } = parseScheme(scheme)
  return base === 'static-w8a8' ? 0.25 : base === 'static-w8a16' ? 0.5 : 1
}

function classForm({ onnxForm, architecture }: ClassFacts): OnnxForm {
  return formFor(onnxForm, architecture)
}
