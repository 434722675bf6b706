import { RUNTIME_FORMATS, type RuntimeName } from '../../shared/runtime/runtime.ts'
import { type BaseScheme, parseScheme } from '../../shared/schemes.ts'
import { formatBytes } from '../../shared/units.ts'
import type { ClassFacts, ModelFacts } from './facts.ts'

export interface Candidate {
  readonly scheme: string
  readonly runtime: RuntimeName
}

export interface PlanInput {
  readonly model: ModelFacts
  readonly hasCalibration: boolean
  readonly target: ClassFacts
  /** The operator's own limit on the file. */
  readonly maxBytes: number | null
}

export interface VariantPlan {
  readonly kept: readonly (Candidate & { readonly reason: string })[]
  readonly dropped: readonly (Candidate & { readonly reason: string })[]
}

/** Answers why a candidate is dropped; undefined when this need is met. */
type Need = (input: PlanInput, candidate: Candidate) => string | undefined

const NEEDS = {
  runtime: ({ target }, { runtime }) =>
    target.runtimes.includes(runtime) ? undefined : `no device of the class has ${runtime}`,
  format: ({ model }, { runtime }) =>
    RUNTIME_FORMATS[runtime] === model.format
      ? undefined
      : `${runtime} takes .${RUNTIME_FORMATS[runtime]} files: fleets do not import .${model.format} sources yet`,
  floatWeights: ({ model }) =>
    model.floatElements > 0 ? undefined : 'the source has no float weights left to store smaller',
  calibration: ({ hasCalibration }) =>
    hasCalibration
      ? undefined
      : 'calibration data is needed for integer activations: add --calibration',
  hybridKernels: ({ model }) =>
    model.hybridElements > 0
      ? undefined
      : 'no operator of the model has a kernel for int8 weights with float activations',
  integerKernels: ({ model }) =>
    model.integerElements > 0 ? undefined : 'no operator with weights has an integer kernel',
  int16Activations: ({ target }) => feature(target, 'int16-activations', '16-bit activations'),
  int4Weights: ({ target }) => feature(target, 'int4-weights', '4-bit weights in blocks'),
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

const ALWAYS = ['runtime', 'format', 'storage', 'memory'] as const

interface CandidateRow {
  readonly scheme: string
  readonly runtimes: readonly RuntimeName[]
  readonly needs: readonly NeedName[]
  /** Why it is worth building. */
  readonly because: string
}

/** Every variant that may exist. A scheme is a row; what keeps it from a class is one of its needs. */
const CANDIDATES: readonly CandidateRow[] = [
  {
    scheme: 'float32',
    runtimes: ['litert', 'onnxruntime'],
    needs: [],
    because: 'the source as given: what the others are measured against',
  },
  {
    scheme: 'float16',
    runtimes: ['litert', 'onnxruntime'],
    needs: ['floatWeights'],
    because: 'half the file, next to no loss',
  },
  {
    scheme: 'dynamic-w8',
    runtimes: ['litert', 'onnxruntime'],
    needs: ['floatWeights', 'hybridKernels'],
    because: 'a quarter of the file, needs no calibration',
  },
  {
    scheme: 'static-w8a8',
    runtimes: ['litert', 'onnxruntime'],
    needs: ['integerKernels', 'calibration'],
    because: 'a quarter of the file, integer arithmetic',
  },
  {
    scheme: 'static-w8a16',
    runtimes: ['litert'],
    needs: ['integerKernels', 'calibration', 'int16Activations'],
    because: 'int8 weights with finer activations',
  },
  {
    scheme: 'weight-w4-b32',
    runtimes: ['litert', 'onnxruntime'],
    needs: ['floatWeights', 'int4Weights'],
    because: 'an eighth of the file',
  },
]

/** Pure: which files shall exist for a class, and a reason for each one kept or dropped. */
export function planVariants(input: PlanInput): VariantPlan {
  const judged = CANDIDATES.flatMap((row) =>
    row.runtimes.map((runtime) => {
      const candidate = { scheme: row.scheme, runtime }
      const obstacles = [...ALWAYS, ...row.needs].flatMap(
        (need) => (NEEDS[need] as Need)(input, candidate) ?? [],
      )
      return { ...candidate, obstacles, reason: obstacles[0] ?? row.because }
    }),
  )
  const bare = ({ scheme, runtime, reason }: (typeof judged)[number]) => ({
    scheme,
    runtime,
    reason,
  })
  return {
    kept: judged.filter(({ obstacles }) => obstacles.length === 0).map(bare),
    dropped: judged.filter(({ obstacles }) => obstacles.length > 0).map(bare),
  }
}

/** Bytes a float element saves in each base scheme, and of which elements. */
const SAVING: Record<BaseScheme, (model: ModelFacts) => number> = {
  float32: () => 0,
  float16: (model) => 2 * model.floatElements,
  'dynamic-w8': (model) => 3 * model.hybridElements,
  'static-w8a8': (model) => 3 * Math.min(model.integerElements, model.floatElements),
  'static-w8a16': (model) => 3 * Math.min(model.integerElements, model.floatElements),
  'weight-w4-b32': (model) => 3.5 * model.floatElements,
}

/** A lower bound: what is dropped for it could never have fitted. The built file is checked again. */
export function leastBytes(model: ModelFacts, { scheme }: Pick<Candidate, 'scheme'>): number {
  return Math.max(0, Math.floor(model.bytes - SAVING[parseScheme(scheme).base](model)))
}

/** Activations of a static scheme take a quarter, or half, of the float ones. */
function activationShare({ scheme }: Candidate): number {
  const { base } = parseScheme(scheme)
  return base === 'static-w8a8' ? 0.25 : base === 'static-w8a16' ? 0.5 : 1
}

function feature(target: ClassFacts, name: string, what: string): string | undefined {
  return target.features.includes(name)
    ? undefined
    : `no kernels for ${what} are known on ${target.id}`
}
