import { examine, isIll, printDiagnoses } from '../../../shared/diagnosis/index.ts'
import { examinationsOf } from './examinations.ts'

export interface DoctorRequest {
  readonly stateDir: string
  readonly json?: boolean
  /** Makes commands in texts for people work where this one was typed. */
  readonly say: (text: string) => string
}

/** Prints what it finds; answers the exit code. */
export async function doctor(
  { stateDir, json, say }: DoctorRequest,
  out: NodeJS.WritableStream,
): Promise<number> {
  const found = await examine(examinationsOf(stateDir))
  out.write(`${json ? JSON.stringify(found, null, 2) : say(printDiagnoses(found))}\n`)
  return isIll(found) ? 1 : 0
}
