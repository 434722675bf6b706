import { messageOf } from '../errors.ts'

export const VERDICTS = ['good', 'warning', 'bad'] as const
export type Verdict = (typeof VERDICTS)[number]

/** What a doctor found out of one subject. */
export interface Diagnosis {
  readonly subject: string
  readonly verdict: Verdict
  /** What is so, in one line; of what is not good, what to do too. */
  readonly says: string
}

export interface Examination {
  readonly subject: string
  /** What is found out; what it throws is bad, in the words of its message. Undefined: nothing to look at. */
  look(): Promise<readonly Omit<Diagnosis, 'subject'>[] | Omit<Diagnosis, 'subject'> | undefined>
}

/** One after the other, in their order. */
export async function examine(examinations: readonly Examination[]): Promise<readonly Diagnosis[]> {
  const found: Diagnosis[] = []
  for (const { subject, look } of examinations) {
    try {
      const told = (await look()) ?? []
      for (const one of Array.isArray(told) ? told : [told]) found.push({ subject, ...one })
    } catch (error) {
      found.push({ subject, verdict: 'bad', says: messageOf(error) })
    }
  }
  return found
}

export function good(says: string): Omit<Diagnosis, 'subject'> {
  return { verdict: 'good', says }
}

export function warning(says: string): Omit<Diagnosis, 'subject'> {
  return { verdict: 'warning', says }
}

export function bad(says: string): Omit<Diagnosis, 'subject'> {
  return { verdict: 'bad', says }
}

export function isIll(found: readonly Diagnosis[]): boolean {
  return found.some(({ verdict }) => verdict === 'bad')
}

const MARKS: Readonly<Record<Verdict, string>> = {
  good: 'ok     ',
  warning: 'warning',
  bad: 'BAD    ',
}

export function printDiagnoses(found: readonly Diagnosis[]): string {
  const width = Math.max(...found.map(({ subject }) => subject.length))
  return found
    .map(({ subject, verdict, says }) => `${MARKS[verdict]}  ${subject.padEnd(width)}  ${says}`)
    .join('\n')
}
