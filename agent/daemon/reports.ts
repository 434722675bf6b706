import type { Digest } from '../../shared/digest.ts'
import { AppError, messageOf } from '../../shared/errors.ts'
import { newId } from '../../shared/ids.ts'
import type { InstallState, ProbeOrder, Report, ReportOf } from '../../shared/messages/index.ts'
import type { Installable } from '../trust/index.ts'

/** Why something was not done, in the words both ends share. */
export interface Refusal {
  readonly code: string
  readonly message: string
}

const MAX_MESSAGE = 1024

export function refusalOf(error: unknown): Refusal {
  const code = error instanceof AppError ? error.code : 'internal'
  return { code, message: messageOf(error).slice(0, MAX_MESSAGE) }
}

function envelope(now: Date) {
  return { v: 1, id: newId(), at: now.toISOString() } as const
}

export function ackReport(order: string, now: Date): ReportOf<'ack'> {
  return { ...envelope(now), kind: 'ack', order }
}

export function installReport(
  order: string,
  { model, variant }: Pick<Installable, 'model' | 'variant'>,
  state: InstallState,
  now: Date,
  rest: {
    readonly error?: Refusal | null
    readonly bytesDone?: number
    readonly waitsFor?: string
  } = {},
): ReportOf<'install'> {
  return {
    ...envelope(now),
    kind: 'install',
    order,
    model,
    variant,
    state,
    ...(rest.error && { error: rest.error }),
    ...(rest.bytesDone !== undefined && { bytesDone: rest.bytesDone }),
    ...(rest.waitsFor !== undefined && { waitsFor: rest.waitsFor }),
  }
}

export function probeReport(
  { id, model, variant }: Pick<ProbeOrder, 'id' | 'model' | 'variant'>,
  result: ReportOf<'probe'>['result'],
  now: Date,
  others?: ReportOf<'probe'>['others'],
): ReportOf<'probe'> {
  const about = { kind: 'probe', order: id, model, variant } as const
  return { ...envelope(now), ...about, result, ...(others && { others }) }
}

export function refusedReport(order: string, error: Refusal, now: Date): ReportOf<'refused'> {
  return { ...envelope(now), kind: 'refused', order, error }
}

export function healthReport(
  model: string,
  variant: Digest | null,
  healthy: boolean,
  detail: string,
  now: Date,
): ReportOf<'health'> {
  const short = detail.slice(0, MAX_MESSAGE)
  return { ...envelope(now), kind: 'health', model, variant, healthy, detail: short }
}

/** The same words once more: a repeat of an answer is a report of its own. */
export function repeated(report: Report, now: Date): Report {
  return { ...report, ...envelope(now) }
}
