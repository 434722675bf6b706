import type { ModelFormat } from '../../shared/runtime/index.ts'
import { BASE_SCHEMES, hasSuffix, printScheme, type Scheme } from '../../shared/schemes.ts'
import type { CodeForms } from '../graph/code-forms.ts'
import { QuantizerError } from './errors.ts'
import type { QuantizeOptions } from './options.ts'

/** What a scheme and the options ask of the file. @throws QuantizerError where suffixes contradict each other. */
export function targetOf(scheme: Scheme, options: QuantizeOptions, format: ModelFormat): CodeForms {
  if (hasSuffix(scheme, 'io8') && hasSuffix(scheme, 'iou8')) {
    throw new QuantizerError(
      'unsupported-scheme',
      `scheme ${printScheme(scheme)} asks for int8 and uint8 edges at once: use one of -io8 and -iou8`,
    )
  }
  const chooses = options.keepFloat?.length || options.budget || options.spareSaturating
  if (hasSuffix(scheme, 'mixed') && !chooses) {
    throw new QuantizerError(
      'unsupported-scheme',
      `scheme ${printScheme(scheme)} leaves operators in float: say which (--keep-float), or what may be lost (--max-accuracy-drop)`,
    )
  }
  return {
    activations: activationsOf(scheme, format),
    weightBits: hasSuffix(scheme, 'rr') ? 7 : 8,
    edges: hasSuffix(scheme, 'io8') ? 'int8' : hasSuffix(scheme, 'iou8') ? 'uint8' : 'float32',
    perChannelFullyConnected: options.perChannelFullyConnected ?? true,
    perChannelHybridFullyConnected: options.perChannelHybridFullyConnected ?? true,
  }
}

/**
 * Only ONNX has the choice. Unsigned unless asked otherwise: signed codes become unsigned on x86 when the model
 * loads, and where a value has several readers that fails, and its operators stay in float.
 */
function activationsOf(scheme: Scheme, format: ModelFormat): CodeForms['activations'] {
  if (BASE_SCHEMES[scheme.base].activations === 'int16') return 'int16'
  return format === 'onnx' && !hasSuffix(scheme, 's8s8') ? 'uint8' : 'int8'
}
