import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Test } from 'tap'
import { closeServer, listenOn } from '../../shared/http-listening.ts'
import { answerDevice } from './device-side.ts'
import type { HawkbitStandIn, Target } from './holdings.ts'
import { answerManager } from './manager-side.ts'

/**
 * Stands in for a hawkBit server: written from its public API description (eclipse-hawkbit/hawkbit: `hawkbit-mgmt-api`,
 * `hawkbit-ddi-api`, docs/), for the calls that the bridge and the agent make. It is no hawkBit.
 */
export async function hawkbitStandIn(t: Test): Promise<HawkbitStandIn> {
  let id = 0
  let port = 0
  const waiting = new Set<() => void>()
  const server = createServer((request, response) => {
    void answer(standIn, request, response).finally(() => {
      for (const look of waiting) look()
    })
  })
  const standIn: HawkbitStandIn = {
    get url() {
      return `http://127.0.0.1:${port}`
    },
    ...{ modules: [], sets: [], tags: [], filters: [], targets: new Map(), actions: [] },
    ...{ asked: [], ranges: [], sleep: '00:00:01', fault: undefined },
    nextId: () => ++id,
    addTarget(name) {
      const token = randomBytes(16).toString('hex')
      const rest = { tags: new Set<number>(), attributes: {}, wantsAttributes: true }
      const target = { id: name, token, had: new Set<number>(), ...rest }
      standIn.targets.set(name, target)
      return target
    },
    assign() {
      for (const { query, autoAssignDistributionSet: set } of standIn.filters) {
        if (set === null) continue
        for (const target of standIn.targets.values()) {
          if (target.had.has(set) || !matches(standIn, target, query)) continue
          target.had.add(set)
          assignTo(standIn, target.id, set)
        }
      }
    },
    until: (holds) =>
      new Promise((resolve) => {
        const look = () => {
          if (!holds()) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
    stop: () => closeServer(server),
    start: async () => {
      port = await listenOn(server, { host: '127.0.0.1', port })
    },
  }
  await standIn.start()
  t.teardown(() => (server.listening ? standIn.stop() : undefined))
  return standIn
}

/** Assigned sets are locked; what was under way before is to be cancelled. */
function assignTo(standIn: HawkbitStandIn, target: string, set: number): void {
  const { modules = [] } = standIn.sets.find((one) => one.id === set) ?? {}
  for (const module of standIn.modules) if (modules.includes(module.id)) module.locked = true
  for (const action of standIn.actions) {
    if (action.target === target && action.state === 'running') action.state = 'canceling'
  }
  standIn.actions.push({
    ...{ id: standIn.nextId(), target, set, state: 'running', update: 'forced', feedback: [] },
  })
}

/** `tag=="x" or attribute.a=="b"`, and nothing more of FIQL. */
function matches(standIn: HawkbitStandIn, target: Target, query: string): boolean {
  return query.split(' or ').some((term) => {
    const [, field = '', value = ''] = /^([\w.]+)=="(.*)"$/.exec(term.trim()) ?? []
    if (field === 'tag') {
      return standIn.tags.some(({ id, name }) => name === value && target.tags.has(id))
    }
    if (field === 'controllerid') return target.id === value
    return target.attributes[field.replace('attribute.', '')] === value
  })
}

async function answer(
  standIn: HawkbitStandIn,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', standIn.url)
  const asked = `${request.method} ${url.pathname}`
  standIn.asked.push(asked)
  const chunks: Buffer[] = []
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const fault = standIn.fault?.(asked)
    if (fault !== undefined && 'status' in fault) {
      response.writeHead(fault.status, fault.headers)
      response.end()
      return
    }
    const heard = { method: request.method ?? '', url, headers: request.headers, fault }
    const body = Buffer.concat(chunks)
    const said = url.pathname.startsWith('/rest/v1/')
      ? answerManager(standIn, { ...heard, body })
      : answerDevice(standIn, { ...heard, body })
    if (fault !== undefined && 'cut' in fault) {
      response.writeHead(said.status, { ...said.headers, 'content-length': said.body.length })
      response.write(said.body.subarray(0, fault.cut), () => response.destroy())
      return
    }
    response.writeHead(said.status, said.headers)
    response.end(said.body)
  } catch (error) {
    if (response.headersSent) response.destroy()
    else response.writeHead(500).end(String(error))
  }
}
