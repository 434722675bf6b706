import { z } from 'zod'
import { nameSchema } from '../../../shared/ids.ts'
import { connectPlanner, EVENT_KINDS } from '../../api/index.ts'
import { table } from '../print/page.ts'
import { defineCommand } from '../program/command.ts'
import { dataInput, dataOption } from '../program/fleet-options.ts'

const nameArgument = { name: 'name', description: 'name of the webhook' }

const kindsInput = z
  .string()
  .transform((text, context) => {
    const kinds = text.split(',').map((kind) => kind.trim())
    const parsed = z.array(z.enum(EVENT_KINDS)).safeParse(kinds)
    if (parsed.success) return parsed.data
    const wrong = kinds.find((kind) => !(EVENT_KINDS as readonly string[]).includes(kind))
    const message = `"${wrong}" is no kind of event: ${EVENT_KINDS.join(', ')}`
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  })
  .optional()

export const webhooksAddCommand = defineCommand({
  path: 'webhooks add',
  summary:
    'Tells a receiver of events, each message signed, and prints the secret it checks them by.',
  arguments: [nameArgument, { name: 'url', description: 'https://… of the receiver' }],
  options: [
    dataOption,
    { flags: '--kinds <list>', description: `of ${EVENT_KINDS.join(', ')} (default: all)` },
  ],
  example: 'fitment webhooks add chat https://chat.example/hook --kinds alarm.raised,rollout.moved',
  input: z.object({ ...dataInput, name: nameSchema, url: z.string(), kinds: kindsInput }),
  run: async ({ data, name, url, kinds }, io) => {
    const made = await connectPlanner(data).call('webhooks.add', {
      name,
      url,
      ...(kinds && { kinds }),
    })
    io.result(made, () =>
      [
        made.secret,
        '',
        `${name} is told of ${made.kinds?.join(', ') ?? 'everything'}; its receiver checks webhook-signature with this`,
        'secret (Standard Webhooks), which is shown this once.',
      ].join('\n'),
    )
    return 0
  },
})

export const webhooksListCommand = defineCommand({
  path: 'webhooks list',
  summary: 'Lists who is told of events, what waits for them, and what was given up.',
  options: [dataOption],
  example: 'fitment webhooks list',
  lists: true,
  watched: true,
  input: z.object(dataInput),
  run: async ({ data }, io) => {
    const all = await connectPlanner(data).call('webhooks.list', {})
    io.result(all, () =>
      all.length === 0
        ? 'nobody is told of events'
        : table(
            ['NAME', 'URL', 'KINDS', 'WAITING', 'DEAD', 'LAST ANSWER'],
            all.map((hook) => [
              ...[hook.name, hook.url, hook.kinds?.join(' ') ?? 'all'],
              ...[String(hook.waiting), String(hook.dead), hook.lastAnswer ?? '—'],
            ]),
          ),
    )
    return all.some(({ dead }) => dead > 0) ? 1 : 0
  },
})

export const webhooksRemoveCommand = defineCommand({
  path: 'webhooks remove',
  summary: 'Tells a receiver no more; what it never got is dropped.',
  arguments: [nameArgument],
  options: [dataOption],
  example: 'fitment webhooks remove chat',
  input: z.object({ ...dataInput, name: nameSchema }),
  run: async ({ data, name }, io) => {
    const done = await connectPlanner(data).call('webhooks.remove', { name })
    const dropped = done.undelivered === 0 ? '' : `; ${done.undelivered} event(s) it never got`
    io.result(done, () => `${name} is told no more${dropped}`)
    return 0
  },
})

export const webhooksDeadCommand = defineCommand({
  path: 'webhooks dead',
  summary: 'Lists events that were given up, newest first.',
  arguments: [{ ...nameArgument, optional: true }],
  options: [dataOption],
  example: 'fitment webhooks dead chat',
  lists: true,
  watched: true,
  input: z.object({ ...dataInput, name: nameSchema.optional() }),
  run: async ({ data, name }, io) => {
    const all = await connectPlanner(data).call('webhooks.dead', { ...(name && { name }) })
    io.result(all, () =>
      all.length === 0
        ? 'nothing was given up'
        : table(
            ['DELIVERY', 'WEBHOOK', 'KIND', 'SINCE', 'ATTEMPTS', 'LAST ANSWER'],
            all.map((one) => [
              ...[one.id, one.webhook, one.kind, one.createdAt],
              ...[String(one.attempts), one.lastAnswer ?? '—'],
            ]),
          ),
    )
    return all.length > 0 ? 1 : 0
  },
})

export const webhooksRetryCommand = defineCommand({
  path: 'webhooks retry',
  summary: 'Tries an event that was given up again, or all of a webhook.',
  arguments: [{ name: 'what', description: 'number of a delivery, or name of a webhook' }],
  options: [dataOption],
  example: 'fitment webhooks retry 17',
  input: z.object({ ...dataInput, what: nameSchema }),
  run: async ({ data, what }, io) => {
    const planner = connectPlanner(data)
    const isOne = /^\d+$/.test(what)
    const dead = isOne ? [{ id: what }] : await planner.call('webhooks.dead', { name: what })
    const again = []
    for (const { id } of dead) again.push(await planner.call('webhooks.retry', { delivery: id }))
    io.result(again, () =>
      again.length === 0
        ? `nothing of ${what} was given up`
        : `${again.length} event(s) tried again`,
    )
    return 0
  },
})
