import { z } from 'zod'
import { examine, isIll, printDiagnoses } from '../../../shared/diagnosis/index.ts'
import { defineCommand } from '../program/command.ts'
import { dataInput, dataOption, plannerInput } from '../program/fleet-options.ts'
import { examinationsOf } from './examinations.ts'

export const doctorCommand = defineCommand({
  path: 'doctor',
  summary:
    'Looks at space, clock, certificates, database, broker, runtimes, permissions and a bucket, and says what to do.',
  options: [
    dataOption,
    {
      flags: '--artifacts <place>',
      description: 's3://bucket/prefix: an object of its own is written there, read and removed',
    },
  ],
  example: 'fitment doctor --data /var/lib/fitment',
  input: z.object({ ...dataInput, artifacts: plannerInput.artifacts }),
  run: async ({ data, artifacts }, io) => {
    const found = await examine(examinationsOf({ data, artifacts }))
    io.result(found, () => printDiagnoses(found))
    return isIll(found) ? 1 : 0
  },
})
