import { createPrivateKey, X509Certificate } from 'node:crypto'
import {
  factsOf,
  IDENTITY_REFUSALS,
  IdentityError,
  type IdentityErrorCode,
  isForClients,
  isIssuedBy,
} from '../../shared/identity/index.ts'
import type { JoinAnswer } from '../../shared/messages/index.ts'

export interface Asked {
  readonly fleet: string
  readonly device: string
  /** PEM. */
  readonly key: string
  /** PEM. */
  readonly authority: string
}

/**
 * The certificate (PEM) of an answer, once it is what was asked for.
 * @throws IdentityError with the planner's own code for a refusal, `bad-answer` for another certificate
 */
export function granted(answer: JoinAnswer, asked: Asked): string {
  if (answer.outcome === 'refused') {
    const { code, message } = answer.error
    const known = Object.hasOwn(IDENTITY_REFUSALS, code)
    throw new IdentityError(known ? (code as IdentityErrorCode) : 'bad-answer', message)
  }
  const certificate = read(answer.certificate)
  const { name } = factsOf(certificate)
  const isOurs =
    isIssuedBy(certificate, new X509Certificate(asked.authority)) &&
    isForClients(certificate) &&
    certificate.checkPrivateKey(createPrivateKey(asked.key)) &&
    name?.role === 'device' &&
    name.device === asked.device &&
    name.fleet === asked.fleet
  if (!isOurs) throw badAnswer()
  return certificate.toString()
}

function read(base64: string): X509Certificate {
  try {
    return new X509Certificate(Buffer.from(base64, 'base64'))
  } catch {
    throw badAnswer()
  }
}

function badAnswer(): IdentityError {
  return new IdentityError(
    'bad-answer',
    'the planner answered with a certificate that is not for this device: are agent and planner of one version?',
  )
}
