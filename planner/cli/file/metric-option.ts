import { METRIC_NAMES } from '../../../shared/metrics/index.ts'
import type { CliOption } from '../program/command.ts'

export const METRIC_OPTION: CliOption = {
  flags: '--metric <name>',
  description: `what to judge by: ${METRIC_NAMES.join(', ')}, e.g. map,layout=yolox; or a file of your own, ./score.mjs`,
}
