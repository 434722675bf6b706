import { spawn } from 'node:child_process'
import { z } from 'zod'
import { UsageError } from '../../../shared/errors.ts'
import { connectPlanner, RemoteError, ROLES } from '../../api/index.ts'
import { consoleLink, linkWith } from '../../console/index.ts'
import { defineCommand } from '../program/command.ts'
import { dataInput, dataOption } from '../program/fleet-options.ts'

/** What a page is called on a command line, and where it is. */
const PAGES = ['fleet', 'models', 'rollouts', 'health', 'audit', 'keys', 'settings'] as const
const NAMED_PAGE = /^(devices|models|rollouts)\/[\w.-]+$/

const pageInput = z
  .string()
  .default('fleet')
  .refine(
    (page) => PAGES.some((known) => known === page) || NAMED_PAGE.test(page),
    `is one of ${PAGES.join(', ')}, or e.g. models/motor, devices/press-7`,
  )

export const openCommand = defineCommand({
  path: 'open',
  summary: 'Opens the web console, or prints a link to it that signs in.',
  arguments: [
    {
      name: 'page',
      description: `${PAGES.join(', ')}, or e.g. models/motor (default: fleet)`,
      optional: true,
    },
  ],
  options: [
    dataOption,
    {
      flags: '--role <role>',
      description: 'of whoever follows it',
      choices: ROLES,
      default: 'admin',
    },
    { flags: '--print', description: 'print the link only, and open no browser' },
  ],
  example: 'fitment open models/motor',
  input: z.object({
    ...dataInput,
    page: pageInput,
    role: z.enum(ROLES),
    print: z.boolean().default(false),
  }),
  run: async ({ data, page, role, print }, io) => {
    const token = process.env.FITMENT_TOKEN
    const path = `/${page}`
    const made =
      token === undefined || token === ''
        ? await localLink(data, { role, path })
        : { link: linkWith(token, path) }
    io.result(made, () => made.link)
    if (!print && hasScreen()) openBrowser(made.link)
    return 0
  },
})

type Wish = Parameters<typeof consoleLink>[1]

async function localLink(data: string, wish: Wish): ReturnType<typeof consoleLink> {
  try {
    return await consoleLink(connectPlanner(data), wish)
  } catch (error) {
    if (!(error instanceof RemoteError && error.code === 'no-listener')) throw error
    throw new UsageError(
      'no browser can reach this planner: start it with fitment serve --api-host 127.0.0.1 --api-plain for this machine, or --api-host ADDRESS for others',
    )
  }
}

/** Somebody sits before it: a link is opened for nobody on a server. */
function hasScreen(): boolean {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env
  const isDesktop = process.platform === 'darwin' || Boolean(DISPLAY ?? WAYLAND_DISPLAY)
  return isDesktop && process.stdout.isTTY
}

/** Where it cannot, the printed link stands for it. */
function openBrowser(link: string): void {
  const opener = process.platform === 'darwin' ? 'open' : 'xdg-open'
  spawn(opener, [link], { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref()
}
