import Table from 'cli-table3'
import { oneLine } from '../../../shared/errors.ts'
import type { Finding } from '../../../shared/findings.ts'
import { type Progress, startProgress } from './progress.ts'

/** Where a command speaks: people read tables and lines, machines read one JSON value. */
export interface CliIo {
  readonly json: boolean
  /** One JSON value on standard output, when asked for with `--json`; otherwise the text for people. */
  result(value: unknown, forPeople: () => string): void
  /** A line for people on standard output; nothing under `--json`. */
  line(text: string): void
  /** Standard error: warnings and findings, never mixed into results. */
  note(text: string): void
  findings(findings: readonly Finding[]): void
  progress(what: string): Progress
}

export interface CliStreams {
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream & { isTTY?: boolean }
}

/** @param say makes the commands that texts for people name work where they are read */
export function createIo(json: boolean, streams: CliStreams, say: (text: string) => string): CliIo {
  const out = (text: string) => streams.stdout.write(`${text}\n`)
  const note = (text: string) => streams.stderr.write(`${say(text)}\n`)
  return {
    json,
    result: (value, forPeople) => out(json ? JSON.stringify(value, jsonSafe, 2) : say(forPeople())),
    line: (text) => {
      if (!json) out(say(text))
    },
    note,
    findings: (findings) => {
      if (json) return
      for (const finding of findings) note(`${finding.severity}: ${oneLine(finding.message)}`)
    },
    progress: (title) => {
      const { update, end } = startProgress(say(title), json ? undefined : streams.stderr)
      return { end, update: (done, total, what = title) => update(done, total, say(what)) }
    },
  }
}

/** Columns aligned by spaces: the same table pastes into an issue and pipes into awk. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const bare = {
    top: '',
    'top-mid': '',
    'top-left': '',
    'top-right': '',
    bottom: '',
    'bottom-mid': '',
    'bottom-left': '',
    'bottom-right': '',
    left: '',
    'left-mid': '',
    mid: '',
    'mid-mid': '',
    right: '',
    'right-mid': '',
    middle: '  ',
  }
  const drawn = new Table({
    head: [...head],
    chars: bare,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
  })
  for (const row of rows) drawn.push([...row])
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

function jsonSafe(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}
