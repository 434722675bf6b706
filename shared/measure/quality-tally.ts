import { DatasetError } from '../dataset/index.ts'
import type { Finding } from '../findings.ts'
import { argmax, classesOf, dequantized } from '../metrics/index.ts'
import type { TensorInfo } from '../runtime/index.ts'
import { mcnemarExact, wilson95 } from '../statistics/index.ts'
import type { Tensor } from '../tensors.ts'
import { AnswerTally, type SampleError } from './answer-bits.ts'
import { OutputError } from './output-error.ts'
import type { QualityRecord } from './quality-record.ts'

/** Why a figure is missing. */
const NOTES = {
  'no-labels':
    'the data has no labels "y": accuracy is not measured, only agreement with the reference',
  'no-reference':
    'no reference model and no "reference" in the data: agreement and error are not measured',
  'no-classes': 'the first output does not score classes: accuracy and agreement are not measured',
} as const

/** Counts answers sample by sample. */
export class QualityTally {
  readonly #infos: readonly TensorInfo[]
  readonly #labels: Int32Array | undefined
  readonly #errors = new Map<string, OutputError>()
  readonly #answers = new AnswerTally()
  /** By [this model right, reference right]. */
  readonly #right = { both: 0, onlyThis: 0, onlyReference: 0, neither: 0 }
  #samples = 0
  #agreed = 0
  #notFinite = 0
  #classes: number | undefined

  constructor(infos: readonly TensorInfo[], labels: Int32Array | undefined) {
    this.#infos = infos
    this.#labels = labels
  }

  /** @throws DatasetError where a label or the reference belongs to another model */
  add(
    sample: number,
    outputs: Readonly<Record<string, Tensor>>,
    reference: ReadonlyMap<string, ArrayLike<number>> | undefined,
  ): void {
    const errors: SampleError[] = []
    this.#infos.forEach((info, position) => {
      const tensor = outputs[info.name] as Tensor
      const values = dequantized(info, tensor)
      const expected = reference?.get(info.name)
      this.#countNotFinite(values)
      if (expected !== undefined) errors.push(this.#addError(info.name, values, expected))
      if (position === 0) {
        this.#classes = classesOf(tensor.shape)
        if (this.#classes !== undefined) this.#addAnswer(sample, values, expected)
      }
    })
    this.#samples += 1
    this.#answers.add(sample, errors)
  }

  /** @param energies keep the error of each sample too, for comparisons with who answered fewer of them */
  record({ energies = false } = {}): QualityRecord {
    const outputs = [...this.#errors.values()].map((error) => error.summary())
    const classified = this.#classes !== undefined
    const judged = classified && this.#labels !== undefined
    const compared = outputs.length > 0
    const { both, onlyThis, onlyReference } = this.#right
    const share = (count: number) => count / this.#samples
    return {
      samples: this.#samples,
      accuracy: judged ? share(both + onlyThis) : null,
      accuracyCi95: judged ? wilson95(both + onlyThis, this.#samples) : null,
      referenceAccuracy: judged && compared ? share(both + onlyReference) : null,
      agreement: classified && compared ? share(this.#agreed) : null,
      agreementCi95: classified && compared ? wilson95(this.#agreed, this.#samples) : null,
      sqnrDb: compared ? Math.min(...outputs.map((output) => output.sqnrDb)) : null,
      maxAbsError: compared ? Math.max(...outputs.map((output) => output.maxAbsError)) : null,
      meanAbsError: compared ? Math.max(...outputs.map((output) => output.meanAbsError)) : null,
      outputs,
      notFinite: this.#notFinite,
      mcnemar:
        judged && compared
          ? {
              onlyThisRight: onlyThis,
              onlyReferenceRight: onlyReference,
              pValue: mcnemarExact(onlyThis, onlyReference),
            }
          : null,
      notes: this.#notes(compared),
      ...this.#answersOf(judged, classified && compared, energies),
    }
  }

  #answersOf(judged: boolean, compared: boolean, energies: boolean) {
    const answers = this.#answers.record({ judged, compared, energies })
    return answers === undefined ? {} : { answers }
  }

  #addError(name: string, values: ArrayLike<number>, expected: ArrayLike<number>): SampleError {
    if (values.length !== expected.length)
      throw new DatasetError(
        'wrong-shape',
        `output "${name}" has ${values.length} values but its reference has ${expected.length}: they belong to different models`,
      )
    const error = this.#errors.get(name) ?? new OutputError(name)
    this.#errors.set(name, error)
    return error.add(values, expected)
  }

  #addAnswer(sample: number, values: ArrayLike<number>, expected?: ArrayLike<number>): void {
    const answer = argmax(values)
    const other = expected === undefined ? undefined : argmax(expected)
    const hasAgreed = answer >= 0 && answer === other
    if (hasAgreed) this.#agreed += 1
    const label = this.#labels?.[sample]
    this.#answers.addAnswer(sample, answer === label, hasAgreed)
    if (label === undefined) return
    if (label >= values.length)
      throw new DatasetError(
        'wrong-labels',
        `label ${label} of sample ${sample} is beyond the model's ${values.length} classes: the labels belong to another model`,
      )
    const key = rightness(answer === label, other === label)
    this.#right[key] += 1
  }

  #countNotFinite(values: ArrayLike<number>): void {
    for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) this.#notFinite += 1
  }

  #notes(compared: boolean): Finding[] {
    const codes: (keyof typeof NOTES)[] = []
    if (this.#labels === undefined) codes.push('no-labels')
    if (!compared) codes.push('no-reference')
    if (this.#classes === undefined) codes.push('no-classes')
    const notes = codes.map((code): Finding => ({ code, severity: 'info', message: NOTES[code] }))
    return this.#notFinite === 0 ? notes : [...notes, notFiniteNote(this.#notFinite)]
  }
}

function notFiniteNote(count: number): Finding {
  return {
    code: 'not-finite',
    severity: 'error',
    message: `the model answers ${count} times NaN or infinity: look for such numbers in its weights, and for samples that overflow`,
  }
}

function rightness(ours: boolean, theirs: boolean) {
  if (ours) return theirs ? 'both' : 'onlyThis'
  return theirs ? 'onlyReference' : 'neither'
}
