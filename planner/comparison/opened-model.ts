import { AppError } from '../../shared/errors.ts'
import type { ModelFormat } from '../../shared/runtime/index.ts'
import { shellWord } from '../../shared/started-as.ts'
import { MODEL_FORMATS } from '../formats/index.ts'
import type { Entry, Graph, QuantizableFormat, QuantizableModel } from '../graph/index.ts'
import { type Links, linksOf } from '../graph/index.ts'
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
const WATCHABLE: Readonly<Record<ModelFormat, boolean>> = { tflite: true, onnx: false }

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
  if (!WATCHABLE[file.format]) {
    throw new ComparisonError(
      'unsupported-format',
      `${file.file}: .${file.format} models cannot be compared layer by layer yet; for outputs use fitment evaluate MODEL --data FILE.npz --reference FLOAT`,
    )
  }
  const model = await openIn(await MODEL_FORMATS[file.format](), file)
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
