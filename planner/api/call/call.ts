import { shellWord } from '../../../shared/started-as.ts'
import type { Conductor, ConductorContext } from '../../conductor/index.ts'
import type { PlannerIdentity } from '../../identity/index.ts'
import { type Device, devices as deviceRows, type Model, models } from '../../storage/index.ts'
import type { ApiProgress } from '../contract/contract.ts'
import { ApiError } from '../contract/errors.ts'

export interface PlannerInfo {
  readonly version: string
  readonly fleet: string
  readonly broker: string
  /** Where devices without a certificate ask for one, if that is another listener. */
  readonly joinBroker?: string
  readonly database: string
  readonly trust: string
}

export interface Call {
  readonly conductor: Conductor
  readonly context: ConductorContext
  readonly info: PlannerInfo
  /** Absent where nobody can join and nobody asks from elsewhere. */
  readonly identity?: PlannerIdentity | undefined
  /** `https://host:port` where operators elsewhere ask; absent: nowhere. */
  readonly operatorUrl?: string | undefined
  /** For the audit log. */
  readonly actor: string
  readonly progress: (progress: ApiProgress) => void
  /** Aborted when the caller went away. */
  readonly signal: AbortSignal
}

/** The revision that is rolled out now, else the newest. @throws ApiError `unknown-model` */
export async function drivenModel(context: ConductorContext, name: string): Promise<Model> {
  const newest = await modelNamed(context, name)
  return (await models.drivenModel(context.db, name)) ?? newest
}

/** @throws ApiError `unknown-device` */
export async function deviceNamed({ db }: ConductorContext, id: string): Promise<Device> {
  const device = await deviceRows.findDevice(db, id)
  if (device) return device
  throw new ApiError('unknown-device', `no device "${id}" ever joined: see fitment devices`)
}

/** @throws ApiError `unknown-model` naming those there are */
export async function modelNamed(context: ConductorContext, name: string): Promise<Model> {
  const model = await models.findModel(context.db, name)
  if (model) return model
  const known = (await models.listModels(context.db)).map((other) => other.name)
  const advice =
    known.length > 0
      ? `known: ${known.join(', ')}`
      : `add one with fitment models add ${shellWord(name)} --model F.tflite --calibration F.npz --test F.npz`
  throw new ApiError('unknown-model', `no model "${name}" is registered; ${advice}`)
}
