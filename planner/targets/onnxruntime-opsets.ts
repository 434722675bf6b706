import { isAtLeast } from '../../shared/releases.ts'

/**
 * The newest opset that each release loads, tried with the Linux wheels of PyPI; releases between two rows load what
 * the older one does.
 */
const NEWEST: readonly (readonly [release: string, opset: number])[] = [
  ['1.15', 19],
  ['1.17', 20],
  ['1.18', 21],
  ['1.21', 22],
  ['1.23', 23],
  ['1.24', 25],
  ['1.30', 26],
]

/** Why a device's ONNX Runtime cannot load a model; undefined when it can, or nobody knows. */
export function opsetObstacle(opset: number, version: string | null): string | undefined {
  if (version === null) return undefined
  const row = NEWEST.findLast(([release]) => isAtLeast(version, release))
  const newest = row?.[1] ?? undefined
  if (newest === undefined || opset <= newest) return undefined
  return `the model is of opset ${opset}, and ONNX Runtime ${version} of the class loads ${newest} at most: export it with opset ${newest}, or install a newer onnxruntime-node there`
}
