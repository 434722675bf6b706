import { z } from 'zod'
import { connectPlanner } from '../../api/index.ts'
import { table } from '../print/page.ts'
import { defineCommand } from '../program/command.ts'
import { dataInput, dataOption } from '../program/fleet-options.ts'

const KEPT = {
  plain: 'here',
  sealed: 'here, under a passphrase',
  elsewhere: 'elsewhere',
} as const

export const keysListCommand = defineCommand({
  path: 'keys list',
  summary: 'Lists the keys devices believe, what each signs, and where its private part lies.',
  options: [dataOption],
  example: 'fitment keys list',
  lists: true,
  input: z.object(dataInput),
  run: async ({ data }, io) => {
    const view = await connectPlanner(data).call('keys.list', {})
    io.result(view, () => [
      table(
        ['KEY', 'PRIVATE PART', 'SIGNS', 'PUBLIC PART'],
        view.keys.map(({ name, kept, signs, publicKey }) => [
          name,
          KEPT[kept],
          signs.join(', ') || 'nothing any more',
          publicKey,
        ]),
      ),
      '',
      table(
        ['REPOSITORY', 'ROLE', 'SIGNATURES', 'KEYS'],
        view.roles.map(({ repository, role, threshold, keys }) => [
          repository,
          role,
          `${threshold} of ${keys.length}`,
          keys.join(', '),
        ]),
      ),
      '',
      `devices are set up with --trust ${view.anchor}`,
    ])
    return 0
  },
})

export const keysAnchorCommand = defineCommand({
  path: 'keys anchor',
  summary: 'Prints the trust anchor: what a device is set up with.',
  options: [dataOption],
  example: 'fitment keys anchor > anchor.txt',
  input: z.object(dataInput),
  run: async ({ data }, io) => {
    const { anchor } = await connectPlanner(data).call('keys.list', {})
    io.result({ anchor }, () => anchor)
    return 0
  },
})
