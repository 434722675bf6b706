import { z } from 'zod'
import { examine, isIll, printDiagnoses } from '../../../shared/diagnosis/index.ts'
import { defineCommand } from '../program/command.ts'
import { dataInput, dataOption } from '../program/fleet-options.ts'
import { examinationsOf } from './examinations.ts'

export const doctorCommand = defineCommand({
  path: 'doctor',
  summary:
    'Looks at space, clock, certificates, database, broker, runtimes and permissions, and says what to do.',
  options: [dataOption],
  example: 'fitment doctor --data /var/lib/fitment',
  input: z.object(dataInput),
  run: async ({ data }, io) => {
    const found = await examine(examinationsOf(data))
    io.result(found, () => printDiagnoses(found))
    return isIll(found) ? 1 : 0
  },
})
