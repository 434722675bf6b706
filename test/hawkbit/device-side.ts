import {
  type Action,
  empty,
  type HawkbitStandIn,
  type Heard,
  hex,
  json,
  type Said,
  type Target,
  TENANT,
} from './holdings.ts'

/** The Direct Device Integration API, as far as the agent needs it. */
export function answerDevice(standIn: HawkbitStandIn, heard: Heard): Said {
  const { url, headers, method, body } = heard
  const [tenant, controller, version, id = '', resource, number, below] = url.pathname
    .slice(1)
    .split('/')
    .map(decodeURIComponent)
  if (tenant !== TENANT || controller !== 'controller' || version !== 'v1') return empty(404)
  const target = standIn.targets.get(id)
  if (target === undefined || headers.authorization !== `TargetToken ${target.token}`)
    return empty(401)
  const base = `${standIn.url}/${TENANT}/controller/v1/${encodeURIComponent(id)}`
  if (resource === undefined) return json(baseOf(standIn, target, base))
  if (resource === 'configData' && method === 'PUT') {
    target.attributes = { ...target.attributes, ...JSON.parse(body.toString()).data }
    target.wantsAttributes = false
    standIn.assign()
    return empty()
  }
  if (resource === 'softwaremodules') return download(standIn, heard, Number(number))
  const action = standIn.actions.find((one) => one.id === Number(number) && one.target === id)
  if (action === undefined) return empty(404)
  if (below === 'feedback') return heardOf(action, resource, JSON.parse(body.toString()).status)
  if (resource === 'cancelAction') {
    return json({ id: `${action.id}`, cancelAction: { stopId: `${action.id}` } })
  }
  return resource === 'deploymentBase' ? json(deploymentOf(standIn, action, base)) : empty(404)
}

/** The oldest open action comes first; a cancellation hides its deployment. */
function baseOf({ actions, sleep }: HawkbitStandIn, target: Target, base: string) {
  const open = actions.find(
    (one) => one.target === target.id && ['running', 'canceling'].includes(one.state),
  )
  const where = open?.state === 'canceling' ? 'cancelAction' : 'deploymentBase'
  return {
    config: { polling: { sleep } },
    _links: {
      ...(open && { [where]: { href: `${base}/${where}/${open.id}?c=-${open.id}` } }),
      ...(target.wantsAttributes && { configData: { href: `${base}/configData` } }),
    },
  }
}

function deploymentOf(standIn: HawkbitStandIn, action: Action, base: string) {
  const set = standIn.sets.find(({ id }) => id === action.set)
  const modules = standIn.modules.filter(({ id }) => set?.modules.includes(id))
  return {
    id: `${action.id}`,
    deployment: {
      download: 'forced',
      update: action.update,
      chunks: modules.map(({ id, name, version, type, artifacts }) => ({
        part: type === 'application' ? 'bApp' : type,
        name,
        version,
        artifacts: artifacts.map(({ filename, bytes }) => {
          const href = `${base}/softwaremodules/${id}/artifacts/${encodeURIComponent(filename)}`
          return {
            filename,
            hashes: {
              sha1: hex('sha1', bytes),
              md5: hex('md5', bytes),
              sha256: hex('sha256', bytes),
            },
            size: bytes.length,
            _links: { 'download-http': { href }, 'md5sum-http': { href: `${href}.MD5SUM` } },
          }
        }),
      })),
    },
    actionHistory: { status: 'RUNNING', messages: [] },
  }
}

interface Status {
  readonly execution: string
  readonly result: { readonly finished: string }
  readonly details?: readonly string[]
}

function heardOf(action: Action, resource: string | undefined, status: Status): Said {
  const { execution, result, details = [] } = status
  if (!['running', 'canceling'].includes(action.state)) return empty(410)
  action.feedback.push({ execution, finished: result.finished, details })
  if (resource === 'cancelAction') {
    if (execution === 'closed' || execution === 'canceled') action.state = 'canceled'
    if (execution === 'rejected') action.state = 'running'
  } else if (execution === 'closed') {
    action.state = result.finished === 'failure' ? 'error' : 'finished'
  }
  return empty()
}

function download(standIn: HawkbitStandIn, { url, headers, fault }: Heard, id: number): Said {
  const name = decodeURIComponent(url.pathname.split('/').at(-1) ?? '')
  const module = standIn.modules.find((one) => one.id === id)
  const artifact = module?.artifacts.find(({ filename }) => filename === name)
  if (artifact === undefined) return empty(404)
  const isSpoiled = fault !== undefined && 'spoil' in fault
  const bytes = isSpoiled ? Buffer.alloc(artifact.bytes.length, 1) : artifact.bytes
  const type = { 'content-type': 'application/octet-stream', 'accept-ranges': 'bytes' }
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? []
  if (from === undefined || to === undefined) return { status: 200, headers: type, body: bytes }
  if (Number(from) >= bytes.length) return empty(416)
  standIn.ranges.push(`${name} ${from}-${to}`)
  const last = Math.min(Number(to), bytes.length - 1)
  const range = { 'content-range': `bytes ${from}-${last}/${bytes.length}` }
  const part = bytes.subarray(Number(from), last + 1)
  return { status: 206, headers: { ...type, ...range }, body: part }
}
