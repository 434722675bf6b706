import type { Architecture } from '../../shared/messages/index.ts'
import { BASE_SCHEMES, type Scheme, type SchemeSuffix } from '../../shared/schemes.ts'
import type { OnnxForm, Profile } from '../classes/index.ts'
import type { Target } from '../targets/index.ts'

/** Why a processor computes best on a form of static int8. */
export const FORM_REASONS: Readonly<Record<OnnxForm, string>> = {
  s8s8: 'kernels for signed activations, as ARM has them',
  u8s8: 'VNNI multiplies unsigned by signed bytes and adds in 32 bits',
  'u8s8-rr': 'without VNNI two products are added in int16, which these weights cannot overflow',
}

/** Where nobody described the processor, the form that is right on all of its kind. */
export function formFor(described: OnnxForm | null, architecture: Architecture): OnnxForm {
  return described ?? (architecture === 'x64' ? 'u8s8-rr' : 's8s8')
}

/** The scheme in the integer form that a class computes best in, where its name and the target leave that open. */
export function inFormOf(
  { numerics: { onnxForm } }: Profile,
  scheme: Scheme,
  { codes }: Target,
): Scheme {
  const choices = Object.keys(codes.bySuffix) as SchemeSuffix[]
  const open = !scheme.suffixes.some((suffix) => suffix === 'rr' || choices.includes(suffix))
  if (choices.length === 0 || onnxForm === null || !open) return scheme
  const { activations } = BASE_SCHEMES[scheme.base]
  const parts = onnxForm.split('-') as SchemeSuffix[]
  if (activations === 'int8') return { ...scheme, suffixes: [...parts, ...scheme.suffixes] }
  // What kernels quantize by themselves they hold unsigned.
  const narrow = activations === 'dynamic' && parts.includes('rr')
  return narrow ? { ...scheme, suffixes: ['rr'] } : scheme
}
