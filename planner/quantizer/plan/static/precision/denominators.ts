import type { GraphOperator, OperatorId, TensorId } from '../../../../graph/index.ts'
import { isProduct, type Scene } from './scene.ts'

/** Steps below which a rounded denominator is off by a hundredth. */
const ENOUGH_STEPS = 32

/** Where what is divided by, or a root is taken of, stands among the inputs; it answers to relative errors. */
const DENOMINATORS: Readonly<Record<string, number>> = { div: 1, sqrt: 0, rsqrt: 0, log: 0 }
const NATIVE_DENOMINATORS: Readonly<Record<string, number>> = { Reciprocal: 0, Pow: 0, POW: 0 }

/** Numbers without a sign are made of others here; what comes before is of another kind. */
const SQUARES: ReadonlySet<string> = new Set(['mul', 'squared-difference', 'abs', 'exp'])
const CENTRES: ReadonlySet<string> = new Set(['sub', 'mean', 'sum', 'reduce-max', 'average-pool'])

/**
 * Denominators that come near zero, with the sums of squares that they are made of, and what they scale: where the code
 * is 0 or 1 the quotient is anything.
 */
export function denominatorsOf(scene: Scene): Set<OperatorId> {
  const found = new Set<OperatorId>()
  for (const operator of scene.operators) {
    const place = DENOMINATORS[operator.kind] ?? NATIVE_DENOMINATORS[operator.nativeKind]
    const denominator = place === undefined ? null : (operator.inputs[place]?.tensor ?? null)
    if (denominator === null || scene.isConstant(denominator)) continue
    if (!comesNearZero(denominator, scene)) continue
    found.add(operator.id)
    collectChain(denominator, scene, found)
    collectScaled(operator, scene, found)
  }
  return found
}

function comesNearZero(tensor: TensorId, scene: Scene): boolean {
  const [range, step] = [scene.request.ranges.get(tensor), scene.stepOf(tensor)]
  if (range === undefined || step === null) return false
  const least = range.min > 0 ? range.min : range.max < 0 ? -range.max : 0
  return least < ENOUGH_STEPS * step
}

/** Back to the squares, and from there to what they were centred by. */
function collectChain(tensor: TensorId, scene: Scene, into: Set<OperatorId>): void {
  const maker = scene.makerOf(tensor)
  if (maker === undefined || into.has(maker.id) || isProduct(maker)) return
  into.add(maker.id)
  const follow = SQUARES.has(maker.kind)
    ? (source: TensorId) => collectCentres(source, scene, into)
    : (source: TensorId) => collectChain(source, scene, into)
  for (const source of scene.variablesOf(maker)) follow(source)
}

function collectCentres(tensor: TensorId, scene: Scene, into: Set<OperatorId>): void {
  scene.collectBefore(tensor, ({ kind }) => CENTRES.has(kind), into)
}

/** What is divided, or multiplied by the reciprocal: its errors grow as the quotient does. */
function collectScaled(operator: GraphOperator, scene: Scene, into: Set<OperatorId>): void {
  const scaling = operator.kind === 'div' ? [operator] : quotientsBehind(operator, scene)
  for (const one of scaling) {
    into.add(one.id)
    for (const source of scene.variablesOf(one)) collectCentres(source, scene, into)
  }
}

const QUOTIENTS: ReadonlySet<string> = new Set(['mul', 'div'])

function quotientsBehind(operator: GraphOperator, scene: Scene): GraphOperator[] {
  return scene
    .readersOf(operator)
    .flatMap((reader) => (scene.copies(reader) ? scene.readersOf(reader) : [reader]))
    .filter(({ kind }) => QUOTIENTS.has(kind))
}
