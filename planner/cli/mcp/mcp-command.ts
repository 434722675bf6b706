import { z } from 'zod'
import { messageOf } from '../../../shared/errors.ts'
import { connectPlanner } from '../../api/index.ts'
import { defineCommand } from '../program/command.ts'
import { dataInput, dataOption } from '../program/fleet-options.ts'
import { serveClient } from './server.ts'

export const mcpCommand = defineCommand({
  path: 'mcp',
  summary:
    'Lets a language model read this fleet: a server of the Model Context Protocol on standard input and output. It can change nothing.',
  options: [dataOption],
  example: 'fitment mcp --data ~/fleet',
  input: z.object(dataInput),
  run: async ({ data }, io) => {
    const planner = connectPlanner(data)
    // It may come later, and answers then; who started this sees why nothing does yet.
    await planner.call('planner.info', {}).catch((error) => io.note(`note: ${messageOf(error)}`))
    await serveClient(planner, {
      input: process.stdin,
      write: (line) => void process.stdout.write(line),
    })
    return 0
  },
})
