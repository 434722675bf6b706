import {
  empty,
  type HawkbitStandIn,
  type Heard,
  hex,
  json,
  MANAGER,
  refused,
  type Said,
} from './holdings.ts'

const EXISTS = 'hawkbit.server.error.repo.entitiyAlreayExists'
const UNKNOWN = 'hawkbit.server.error.repo.entitiyNotFound'

/** The Management API, as far as the bridge needs it. */
export function answerManager(standIn: HawkbitStandIn, heard: Heard): Said {
  const { user, password } = MANAGER
  const expected = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  if (heard.headers.authorization !== expected) return empty(401)
  const words = heard.url.pathname.slice('/rest/v1/'.length).split('/')
  const [kind = '', id, below] = words
  if (kind === 'softwaremodules' && below === 'artifacts') {
    return artifactsOf(standIn, heard, Number(id))
  }
  if (kind === 'targettags' && below === 'assigned') return tagged(standIn, heard, Number(id))
  if (kind === 'targetfilters' && below === 'autoAssignDS')
    return autoAssigned(standIn, heard, Number(id))
  if (kind === 'targetfilters' && id !== undefined) {
    const filter = standIn.filters.find((one) => one.id === Number(id))
    if (filter === undefined) return unknown('TargetFilterQuery', id)
    filter.query = JSON.parse(heard.body.toString()).query
    return json(filter)
  }
  const lists: Readonly<Record<string, readonly Named[]>> = {
    softwaremodules: standIn.modules,
    distributionsets: standIn.sets,
    targettags: standIn.tags,
    targetfilters: standIn.filters,
  }
  const list = lists[kind]
  if (list === undefined) return empty(404)
  if (heard.method === 'GET') return found(list, heard)
  return created(standIn, kind, list, JSON.parse(heard.body.toString()))
}

interface Named {
  readonly id: number
  readonly name: string
  readonly version?: string
}

function found(list: readonly Named[], { url }: Heard): Said {
  const terms = (url.searchParams.get('q') ?? '').split(';').filter((term) => term !== '')
  const content = list.filter((one) =>
    terms.every((term) => {
      const [, field = '', value = ''] = /^(\w+)=="?([^"]*)"?$/.exec(term) ?? []
      const is = one[field as 'name'] ?? ''
      return value.endsWith('*') ? is.startsWith(value.slice(0, -1)) : is === value
    }),
  )
  const views = content.map((one) => ({ ...one, artifacts: undefined }))
  return json({ content: views, total: content.length, size: content.length })
}

function created(
  standIn: HawkbitStandIn,
  kind: string,
  list: readonly Named[],
  said: Record<string, unknown> | Record<string, unknown>[],
): Said {
  const made = [said].flat().map((body) => {
    const { name, version, type, query } = body as Record<string, string>
    const isThere = list.some((one) => one.name === name && one.version === version)
    if (isThere) return undefined
    const one = { id: standIn.nextId(), name: name ?? '' }
    if (kind === 'softwaremodules') {
      const rest = { version: version ?? '', type: type ?? '', artifacts: [], locked: false }
      standIn.modules.push({ ...one, ...rest })
    } else if (kind === 'distributionsets') {
      const modules = (body.modules as { id: number }[]).map((module) => module.id)
      standIn.sets.push({ ...one, version: version ?? '', modules })
      return { ...one, version }
    } else if (kind === 'targettags') standIn.tags.push(one)
    else {
      const rest = { autoAssignDistributionSet: null, autoAssignActionType: null }
      standIn.filters.push({ ...one, query: query ?? '', ...rest })
      return { ...one, query, ...rest }
    }
    return one
  })
  if (made.includes(undefined)) return refused(409, EXISTS, 'The given entity already exists')
  return json(Array.isArray(said) ? made : made[0], 201)
}

function artifactsOf(standIn: HawkbitStandIn, heard: Heard, id: number): Said {
  const module = standIn.modules.find((one) => one.id === id)
  if (module === undefined) return unknown('SoftwareModule', id)
  if (heard.method === 'GET') {
    return json(
      module.artifacts.map(({ id: own, filename, bytes }) => ({
        ...{ id: own, providedFilename: filename, size: bytes.length },
        hashes: { sha1: hex('sha1', bytes), md5: hex('md5', bytes), sha256: hex('sha256', bytes) },
      })),
    )
  }
  if (module.locked) return refused(423, 'hawkbit.server.error.locked', 'The module is locked')
  const [, boundary = ''] = /boundary=(\S+)/.exec(heard.headers['content-type'] ?? '') ?? []
  const start = heard.body.indexOf('\r\n\r\n') + 4
  const end = heard.body.lastIndexOf(`\r\n--${boundary}--`)
  if (!heard.body.subarray(0, start).includes(`--${boundary}\r\n`) || end < start) return empty(400)
  const bytes = heard.body.subarray(start, end)
  const { searchParams } = heard.url
  if (searchParams.get('sha256sum') !== hex('sha256', bytes)) {
    const code = 'hawkbit.server.error.artifact.uploadFailed.checksum.sha256.match'
    return refused(400, code, 'The given SHA256 checksum does not match')
  }
  const filename = searchParams.get('filename') ?? ''
  if (module.artifacts.some((one) => one.filename === filename)) {
    return refused(409, EXISTS, 'An artifact of that name exists')
  }
  module.artifacts.push({ id: standIn.nextId(), filename, bytes: Buffer.from(bytes) })
  return json({}, 201)
}

function tagged(standIn: HawkbitStandIn, { body, url }: Heard, id: number): Said {
  const names = JSON.parse(body.toString()) as string[]
  const there = names.flatMap((name) => standIn.targets.get(name) ?? [])
  if (there.length < names.length && url.searchParams.get('onNotFoundPolicy') !== 'SUCCESS') {
    return unknown('Target', names.join())
  }
  for (const target of there) target.tags.add(id)
  return empty()
}

function autoAssigned(standIn: HawkbitStandIn, { body }: Heard, id: number): Said {
  const filter = standIn.filters.find((one) => one.id === id)
  const said = JSON.parse(body.toString()) as { id: number; type: string }
  if (filter === undefined || !standIn.sets.some((one) => one.id === said.id)) {
    return unknown('DistributionSet', said.id)
  }
  filter.autoAssignDistributionSet = said.id
  filter.autoAssignActionType = said.type
  standIn.assign()
  return json(filter)
}

function unknown(what: string, id: unknown): Said {
  return refused(404, UNKNOWN, `${what} with given identifier {${id}} does not exist.`)
}
