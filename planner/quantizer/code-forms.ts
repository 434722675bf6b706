import { BASE_SCHEMES, hasSuffix, printScheme, type Scheme } from '../../shared/schemes.ts'
import type { CodeForms } from '../graph/index.ts'
import type { Target } from '../targets/index.ts'
import { QuantizerError } from './errors.ts'
import type { QuantizeOptions } from './options.ts'

/** What a scheme and the options ask of the file. @throws QuantizerError where suffixes contradict each other. */
export function codeFormsOf(scheme: Scheme, options: QuantizeOptions, target: Target): CodeForms {
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
      `scheme ${printScheme(scheme)} leaves operators in float: say which (--keep-float), or what may be lost (--max-drop)`,
    )
  }
  return {
    activations: activationsOf(scheme, target),
    weightBits: hasSuffix(scheme, 'rr') ? 7 : 8,
    edges: hasSuffix(scheme, 'io8') ? 'int8' : hasSuffix(scheme, 'iou8') ? 'uint8' : 'float32',
    perChannelFullyConnected: options.perChannelFullyConnected ?? true,
    perChannelHybridFullyConnected: options.perChannelHybridFullyConnected ?? true,
  }
}

function activationsOf(scheme: Scheme, { codes }: Target): CodeForms['activations'] {
  if (BASE_SCHEMES[scheme.base].activations === 'int16') return 'int16'
  const said = scheme.suffixes.flatMap((suffix) => codes.bySuffix[suffix] ?? [])
  return said[0] ?? codes.usual
}

/** Without what leaves operators in float: the codes of the others are no different for it. */
export function plainScheme(scheme: Scheme): Scheme {
  return { ...scheme, suffixes: scheme.suffixes.filter((suffix) => suffix !== 'mixed') }
}
