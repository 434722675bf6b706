import type { Form, OperatorId, TensorId, Use } from '../../../graph/index.ts'
import { INTEGER_LIMITS, sameForm } from '../../../graph/index.ts'
import { newMessage, type OnnxNode } from '../model.ts'
import { DATA_TYPES } from '../schema.ts'
import { dequantized, parameterInputs } from './codes.ts'
import type { IntegerForm } from './integer-form.ts'
import type { Conversion, ModelRewriter } from './model-rewriter.ts'

/** QuantizeLinear and DequantizeLinear around every activation that the plan wants in integers. */
export function settleActivations(rewriter: ModelRewriter): void {
  const { graph } = rewriter.view
  const makers = new Map<TensorId, OperatorId>()
  for (const { id, outputs } of graph.operators)
    for (const output of outputs) makers.set(output, id)
  for (const { id } of graph.tensors) {
    const made = rewriter.made.get(id)
    const conversions = rewriter.conversions.get(id) ?? []
    if (made === undefined && conversions.length === 0) continue
    const maker = makers.get(id)
    if (made !== undefined && maker !== undefined && isIntegerForm(made)) {
      absorbActivation(rewriter, maker, made)
    }
    settle(rewriter, id, maker, made, conversions)
  }
}

/** The kernel saturates at its output's range: an activation that clips no further says nothing more. */
function absorbActivation(rewriter: ModelRewriter, maker: OperatorId, form: IntegerForm): void {
  const { activation } = rewriter.at(maker)
  if (activation === null || !rewriter.integer.has(maker)) return
  const [scale = 1, zeroPoint = 0] = [form.parameters.scales[0], form.parameters.zeroPoints[0]]
  const { min, max } = INTEGER_LIMITS[form.type]
  const slack = scale / 2
  const low = (min - zeroPoint) * scale
  const high = (max - zeroPoint) * scale
  if (low >= activation.low - slack && high <= activation.high + slack)
    rewriter.dropActivation(maker)
}

function settle(
  rewriter: ModelRewriter,
  id: TensorId,
  maker: OperatorId | undefined,
  made: Form | undefined,
  conversions: readonly Conversion[],
): void {
  const name = rewriter.nameOf(id)
  const viewed = maker === undefined ? undefined : rewriter.at(maker)
  const node = viewed && (viewed.activation?.node ?? viewed.node)
  const alive = node && rewriter.editor.graph.node.includes(node) ? node : viewed?.node
  const value = new Settling(rewriter, name, alive)
  if (made !== undefined && isIntegerForm(made)) value.makeInteger(made, edgeOf(conversions, made))
  for (const { to, uses } of conversions) {
    if (isIntegerForm(to)) value.requantize(to, uses)
  }
}

/** The form in which the model gives the tensor out: as it is made, where nothing converts it for an output. */
function edgeOf(conversions: readonly Conversion[], made: Form): Form {
  const edge = conversions.find(({ uses }) => uses.some(({ kind }) => kind === 'output'))
  return edge?.to ?? made
}

function isIntegerForm(form: Form): form is IntegerForm {
  return 'parameters' in form
}

/** One value while its forms are put side by side. `real` is what float readers, and further conversions, read. */
class Settling {
  readonly #rewriter: ModelRewriter
  readonly #name: string
  readonly #maker: OnnxNode | undefined
  /** The node whose output is the real value. */
  #holder: OnnxNode | undefined
  #real: string

  constructor(rewriter: ModelRewriter, name: string, maker: OnnxNode | undefined) {
    this.#rewriter = rewriter
    this.#name = name
    this.#maker = maker
    this.#holder = maker
    this.#real = name
  }

  /** The value's readers see what its codes stand for; the model's output keeps the name. */
  makeInteger(form: IntegerForm, edge: Form): void {
    const { editor } = this.#rewriter
    const name = this.#name
    const integerEdge = editor.isOutput(name) && sameForm(edge, form)
    if (this.#maker === undefined) {
      this.#retype(editor.graph.input, form)
      this.#real = this.#renamed('real')
      editor.redirect(name, this.#real)
      dequantized(this.#rewriter, undefined, name, form, this.#real)
      return
    }
    const exact = this.#renamed('exact')
    this.#maker.output = this.#maker.output.map((output) => (output === name ? exact : output))
    const codes = integerEdge ? name : this.#renamed('codes')
    if (integerEdge) {
      this.#real = this.#renamed('real')
      editor.redirect(name, this.#real)
      this.#retype(editor.graph.output, form)
    }
    this.#quantize(exact, form, codes)
    this.#holder = dequantized(this.#rewriter, this.#maker, codes, form, this.#real)
  }

  /** Readers that want other codes, or codes of a value that is made in float. */
  requantize(form: IntegerForm, uses: readonly Use[]): void {
    const { editor } = this.#rewriter
    const atOutput = uses.some(({ kind }) => kind === 'output')
    const source = atOutput ? this.#freeName() : this.#real
    const codes = atOutput ? this.#name : this.#renamed('codes')
    this.#quantize(source, form, codes)
    if (atOutput) this.#retype(editor.graph.output, form)
    const readers = uses.filter((use) => use.kind === 'input')
    if (readers.length === 0) return
    const real = this.#renamed('real')
    dequantized(this.#rewriter, this.#maker, codes, form, real)
    for (const { operator, position } of readers) this.#rewriter.feed(operator, position, real)
  }

  /** Gives the value another name, so that its codes may carry the one callers know. */
  #freeName(): string {
    const exact = this.#renamed('exact')
    const rename = (names: string[]) => names.map((one) => (one === this.#real ? exact : one))
    if (this.#holder) this.#holder.output = rename(this.#holder.output)
    this.#rewriter.editor.redirect(this.#real, exact)
    this.#real = exact
    return exact
  }

  #quantize(source: string, form: IntegerForm, codes: string): void {
    const inputs = [source, ...parameterInputs(this.#rewriter, `${this.#name}/${codes}`, form)]
    this.#rewriter.add(this.#maker, 'QuantizeLinear', inputs, codes)
  }

  #renamed(word: string): string {
    return this.#rewriter.fresh(`${this.#name}/${word}`)
  }

  #retype(infos: { name: string }[], form: IntegerForm): void {
    const at = infos.findIndex(({ name }) => name === this.#name)
    const info = infos[at] as ReturnType<typeof newMessage<'ValueInfoProto'>> | undefined
    if (info?.type?.value.case !== 'tensorType') return
    const elemType = DATA_TYPES[form.type].code
    const { shape } = info.type.value.value
    infos[at] = newMessage('ValueInfoProto', {
      name: this.#name,
      type: { value: { case: 'tensorType', value: { elemType, shape } } },
    })
  }
}
