import type { HardwareReport } from '../../../shared/messages/index.ts'
import type { AgentOptions } from '../agent.ts'

/** As long as hawkBit takes a value. */
const MOST_CHARACTERS = 128

/** What hawkBit may choose targets by (`attribute.fitment_class==…`): what this device is told, and what it is. */
export function targetAttributes(
  { version, class: deviceClass, labels = {} }: AgentOptions,
  { architecture, board }: HardwareReport,
): Readonly<Record<string, string>> {
  const known: Readonly<Record<string, string | null | undefined>> = {
    fitment_agent: version,
    fitment_class: deviceClass,
    fitment_architecture: architecture,
    fitment_board: board.model ?? board.compatible?.[0],
    ...Object.fromEntries(Object.entries(labels).map(([key, said]) => [`label_${key}`, said])),
  }
  return Object.fromEntries(
    Object.entries(known).flatMap(([key, said]) =>
      said === null || said === undefined || said === ''
        ? []
        : [[key.slice(0, MOST_CHARACTERS), said.slice(0, MOST_CHARACTERS)]],
    ),
  )
}
