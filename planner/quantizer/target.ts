import { BASE_SCHEMES, hasSuffix, printScheme, type Scheme } from '../../shared/schemes.ts'
import { QuantizerError } from './errors.ts'
import type { QuantizeOptions } from './options.ts'
import type { PlanTarget } from './plan/request.ts'

/** What a scheme and the options ask of the file. @throws QuantizerError where suffixes contradict each other. */
export function targetOf(scheme: Scheme, options: QuantizeOptions): PlanTarget {
  if (hasSuffix(scheme, 'io8') && hasSuffix(scheme, 'iou8')) {
    throw new QuantizerError(
      'unsupported-scheme',
      `scheme ${printScheme(scheme)} asks for int8 and uint8 edges at once: use one of -io8 and -iou8`,
    )
  }
  if (hasSuffix(scheme, 'mixed') && !options.keepFloat?.length) {
    throw new QuantizerError(
      'unsupported-scheme',
      `scheme ${printScheme(scheme)} leaves operators in float: say which (option keepFloat)`,
    )
  }
  return {
    activations: BASE_SCHEMES[scheme.base].activations === 'int16' ? 'int16' : 'int8',
    weightBits: hasSuffix(scheme, 'rr') ? 7 : 8,
    edges: hasSuffix(scheme, 'io8') ? 'int8' : hasSuffix(scheme, 'iou8') ? 'uint8' : 'float32',
    perChannelFullyConnected: options.perChannelFullyConnected ?? true,
    perChannelHybridFullyConnected: options.perChannelHybridFullyConnected ?? false,
  }
}
