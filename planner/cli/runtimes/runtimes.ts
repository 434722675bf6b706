import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { wordSchema } from '../../../shared/open-words.ts'
import { formatBytes } from '../../../shared/units.ts'
import { connectPlanner, type PackageView, type PlannerClient } from '../../api/index.ts'
import { type MadePackage, makePackage, PLUGINS } from '../../runtimes/index.ts'
import { cell } from '../print/figure.ts'
import { type Page, table } from '../print/page.ts'
import { defineCommand } from '../program/command.ts'
import { dataInput, dataOption } from '../program/fleet-options.ts'

const listInput = z
  .string()
  .transform((text) => text.split(',').map((word) => word.trim()))
  .pipe(z.array(z.enum(PLUGINS)).min(1))

export const runtimesAddCommand = defineCommand({
  path: 'runtimes add',
  summary:
    'Stores a native runtime, of a wheel or a library, for the devices that take one (fitment-agent run --accept-runtimes).',
  arguments: [
    { name: 'file', description: 'ai_edge_litert-*.whl, openvino-*.whl or a .so with its C API' },
  ],
  options: [
    dataOption,
    { flags: '--license <file>', description: 'its license, where the file brings none' },
    { flags: '--version <version>', description: 'of a library that does not say it' },
    {
      flags: '--device <names>',
      description: `plugins of OpenVINO to take along: ${PLUGINS.join(', ')}`,
      default: 'CPU',
    },
  ],
  example: 'fitment runtimes add ai_edge_litert-2.3.0-cp311-cp311-manylinux_2_27_x86_64.whl',
  input: z.object({
    ...dataInput,
    file: z.string(),
    license: z.string().optional(),
    version: wordSchema.optional(),
    device: listInput,
  }),
  run: async ({ data, file, license, version, device }, io) => {
    const planner = connectPlanner(data)
    const progress = io.progress(`packing ${basename(file)}`)
    progress.update(0, 0)
    const licenses = license === undefined ? [] : [license]
    const made = await makePackage({ path: file, version, licenses, plugins: device })
    progress.update(0, 0, `uploading ${formatBytes(made.bytes.length)}`)
    const digest = await upload(planner, made)
    const added = await planner.call('runtimes.add', {
      source: { digest, name: made.manifest.source },
    })
    progress.end()
    if (made.manifest.licenses.length === 0) {
      io.note(`warning: ${basename(file)} brings no license: give one with --license FILE`)
    }
    io.result(added, () => summaryOf(added))
    return 0
  },
})

export const runtimesListCommand = defineCommand({
  path: 'runtimes list',
  summary: 'Lists the runtimes that devices can be given, the newest first, and who has them.',
  options: [dataOption],
  example: 'fitment runtimes list',
  lists: true,
  watched: true,
  input: z.object(dataInput),
  run: async ({ data }, io) => {
    const all = await connectPlanner(data).call('runtimes.list', {})
    io.result(all, () => (all.length > 0 ? listOf(all) : NONE))
    return 0
  },
})

export const runtimesRemoveCommand = defineCommand({
  path: 'runtimes remove',
  summary: 'Offers a runtime no longer; devices go to the next newest, or keep what they have.',
  arguments: [{ name: 'package', description: 'first digits of its digest' }],
  options: [dataOption],
  example: 'fitment runtimes remove 3f9a1c',
  input: z.object({
    ...dataInput,
    package: z.string().regex(/^[0-9a-f]{4,64}$/, 'four digits of its digest, or more'),
  }),
  run: async ({ data, package: digest }, io) => {
    const removed = await connectPlanner(data).call('runtimes.remove', { package: digest })
    io.result(removed, () => `${nameOf(removed)} is offered no longer`)
    return 0
  },
})

const NONE = 'no runtime is stored: add one with fitment runtimes add ai_edge_litert-….whl'

async function upload(planner: PlannerClient, { bytes }: MadePackage): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fitment-runtime-'))
  try {
    const path = join(folder, 'package')
    await writeFile(path, bytes)
    return await planner.upload(path)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function nameOf({ runtime, version, architecture }: PackageView): string {
  return `${runtime} ${version} for ${architecture}`
}

function summaryOf({ isNew, package: added }: { isNew: boolean; package: PackageView }): string {
  const { bytes, unpackedBytes, licenses, devices } = added
  if (!isNew) return `${nameOf(added)} is stored already, nothing is stored twice`
  const size = `${formatBytes(bytes)}, ${formatBytes(unpackedBytes)} unpacked`
  const files = licenses.length === 1 ? '1 license file' : `${licenses.length} license files`
  const count = devices.due.length
  const due =
    count === 0
      ? 'no device here takes it yet'
      : `${count} ${count === 1 ? 'device gets' : 'devices get'} it`
  return `${nameOf(added)} stored: ${size}, ${files}; ${due}`
}

function listOf(packages: readonly PackageView[]): Page {
  const rows = packages.map((each) => [
    each.digest.slice(0, 12),
    each.runtime,
    each.version,
    each.architecture,
    each.libc ?? 'any',
    cell(each.bytes, formatBytes),
    standingOf(each),
  ])
  const failures = packages.flatMap(({ devices }) =>
    devices.failed.map(({ device, error }) => `${device}: ${error}`),
  )
  const listed = table(
    ['PACKAGE', 'RUNTIME', 'VERSION', 'ARCHITECTURE', 'C LIBRARY', 'SIZE', 'DEVICES'],
    rows,
    { spare: ['C LIBRARY', 'SIZE'] },
  )
  return [listed, ...(failures.length > 0 ? ['', ...failures] : [])]
}

function standingOf({ newest, released, devices }: PackageView): string {
  const { have, due, failed } = devices
  const parts = [
    `${have.length} have it`,
    due.length > 0 ? `${due.length} get it` : [],
    failed.length > 0 ? `${failed.length} failed` : [],
    newest ? [] : 'a newer one is there',
    released ? [] : 'not signed yet: see fitment keys pending',
  ]
  return parts.flat().join(', ')
}
