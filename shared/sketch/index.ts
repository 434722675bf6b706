export {
  BINS,
  binOf,
  binsOf,
  type Channel,
  countsSchema,
  MOST_CHANNELS,
  MOST_CLASSES,
} from './channels.ts'
export { type Distance, distanceFrom, kolmogorovTail } from './distance.ts'
export { featuresOf, type PortFeatures, type PortInfo, type PortSide } from './features.ts'
export { packCounts, unpackCounts } from './packing.ts'
export {
  MOST_BUCKETS,
  QuantileSketch,
  type QuantileSketchState,
  quantileSketchSchema,
  RELATIVE_ERROR,
} from './quantile-sketch.ts'
export {
  type PortValues,
  parseReferenceSketch,
  plansOf,
  ReferenceBuilder,
  type ReferenceSketch,
  referenceSketchSchema,
} from './reference.ts'
