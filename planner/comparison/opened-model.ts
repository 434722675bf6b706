import { AppError } from '../../shared/errors.ts'
import type { ModelFormat } from '../../shared/runtime/index.ts'
import { shellWord } from '../../shared/started-as.ts'
import type { Graph } from '../formats/graph.ts'
import { type Links, linksOf } from '../formats/links.ts'
import type { Entry, QuantizableFormat, QuantizableModel } from '../formats/quantizable.ts'
import { quantizableTflite } from '../formats/tflite/quantizable.ts'
import { ComparisonError } from './errors.ts'

/** A model file as the caller has it. */
export interface ComparedFile {
  /** For people: the path as it was given. */
  readonly file: string
  readonly format: ModelFormat
  readonly bytes: Uint8Array
}

/** A model with the graph behind its first entry. */
export interface OpenedModel extends ComparedFile {
  readonly model: QuantizableModel
  readonly graph: Graph
  readonly links: Links
  readonly entry: Entry
}

/** Formats whose activations can be watched whatever type they have. */
const FORMATS: Record<ModelFormat, QuantizableFormat | null> = {
  tflite: quantizableTflite,
  onnx: null,
}

/** @throws ComparisonError `mixed-formats`, `unsupported-format`, `models-differ`; the format's error for bytes that are no model */
export async function openModels(files: readonly ComparedFile[]): Promise<OpenedModel[]> {
  const [first] = files
  const other = files.find(({ format }) => format !== first?.format)
  if (first !== undefined && other !== undefined) {
    throw new ComparisonError(
      'mixed-formats',
      `${first.file} is .${first.format} but ${other.file} is .${other.format}: activations are compared within one format; for outputs alone use fitment evaluate ${shellWord(other.file)} --data FILE.npz --reference ${shellWord(first.file)}`,
    )
  }
  return await Promise.all(files.map(openModel))
}

async function openModel(file: ComparedFile): Promise<OpenedModel> {
  const format = FORMATS[file.format]
  if (format === null) {
    throw new ComparisonError(
      'unsupported-format',
      `${file.file}: .${file.format} models cannot be compared layer by layer yet; for outputs use fitment evaluate MODEL --data FILE.npz --reference FLOAT`,
    )
  }
  const model = await openIn(format, file)
  const [entry] = model.entries
  if (entry === undefined) {
    throw new ComparisonError('models-differ', `${file.file} has no graph that callers can run`)
  }
  return { ...file, model, graph: model.graph, links: linksOf(model.graph), entry }
}

/** With several files at hand, an error has to say whose it is. */
async function openIn(
  format: QuantizableFormat,
  { file, bytes }: ComparedFile,
): Promise<QuantizableModel> {
  try {
    return await format.open(bytes, { sources: 'keep', forIntegers: false })
  } catch (cause) {
    if (!(cause instanceof AppError) || cause.code === 'invariant') throw cause
    throw new ComparisonError('does-not-run', `${file}: ${cause.message}`, {}, { cause })
  }
}
