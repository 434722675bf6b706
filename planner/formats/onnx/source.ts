/**
 * What an importer of ONNX models reads them with: the face shows files, this the inside of a graph. A file of its own, so
 * that those who only look into files load none of it.
 */
export { floatOf, floatsOf, hasAttribute, intOf, intsOf, stringOf, tensorOf } from './attributes.ts'
export { CONTRIB, operatorName } from './domains.ts'
export { channelShuffle } from './prepare/channel-shuffle.ts'
export { dynamicAsFloats } from './prepare/dynamic-as-floats.ts'
export { foldConstants } from './prepare/fold-constants.ts'
export { type Attributes, GraphEditor } from './prepare/graph-editor.ts'
export { prepareModel } from './prepare/prepare.ts'
export { applyRules, type Rule, rule } from './prepare/rule.ts'
export { sweep } from './prepare/sweep.ts'
export { inferValues, type ValueType, type ValueTypes } from './shapes/infer.ts'
export { readInside, readsOf } from './walk.ts'
