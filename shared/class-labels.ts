import { AppError } from './errors.ts'

const MOST_LABELS = 65_536
const LONGEST_LABEL = 256

export class LabelsError extends AppError {
  readonly code = 'wrong-labels'
}

/**
 * Names of classes, by the index that a model answers: UTF-8, one to a line, as label files of TensorFlow Lite are.
 * @throws LabelsError naming the line
 */
export function parseClassLabels(text: string): string[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  if (lines.length === 0) throw wrong('there is no label in it')
  if (lines.length > MOST_LABELS) throw wrong(`${lines.length} lines; at most ${MOST_LABELS}`)
  for (const [at, line] of lines.entries()) {
    const reason = reasonAgainst(line)
    if (reason) throw wrong(`line ${at + 1} ${reason}`)
  }
  return lines
}

function reasonAgainst(line: string): string | undefined {
  if (line.trim() === '') return 'is empty: give each class a name, in the order of the output'
  if (line.length > LONGEST_LABEL) return `is longer than ${LONGEST_LABEL} characters`
  // What no editor shows is no name: most likely the file is something else.
  if (/[\p{Cc}\uFFFD]/u.test(line)) return 'is not text'
  return undefined
}

function wrong(reason: string): LabelsError {
  return new LabelsError(`labels: ${reason}`)
}
