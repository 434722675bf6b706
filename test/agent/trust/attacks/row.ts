import type { Sources } from '../../../../agent/trust/index.ts'
import type { AttackName, Offer } from '../../../../shared/trust/index.ts'
import { directed, NEWEST, type openScene, type Scene } from '../forge.ts'

export interface Row {
  readonly attack: AttackName
  readonly how: string
  /** Brings the device into the situation and returns what the attacker shows it. */
  readonly mount: (scene: Scene) => Promise<Offer | Sources>
  /** What the operator does once the attack is known. */
  readonly recover?: (scene: Scene) => Promise<void>
  readonly setup?: Parameters<typeof openScene>[1]
}

export const installed = async (scene: Scene, version = 5, variants = [directed(NEWEST)]) => {
  const offer = await scene.offer(version, variants)
  const { assignments } = await scene.device.verifyOffer(offer)
  for (const assignment of assignments) await scene.device.installed(assignment)
  return offer
}
export const image = async (scene: Scene) => (await scene.offer(1)).image
