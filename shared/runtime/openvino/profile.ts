import type { Pointer } from '../native/ffi.ts'
import type { ProfiledEvent } from '../part-times.ts'
import type { OpenvinoApi } from './openvino-api.ts'

const EXECUTED = 2

interface NodeTime {
  readonly status: number
  readonly realUs: number | bigint
  readonly executedAs: string | null
  readonly type: string | null
}

/** What each node took in the last inference of a request. @throws RuntimeError */
export function profileOf(api: OpenvinoApi, request: Pointer): ProfiledEvent[] {
  const { call, koffi } = api
  const list = { nodes: null as Pointer | null, size: 0 }
  api.ok('run-failed', 'OpenVINO does not profile', call.profile(request, list))
  if (list.nodes === null) return []
  const nodes = koffi.decode(
    list.nodes,
    koffi.array('OvNodeTime', Number(list.size), 'Array'),
  ) as NodeTime[]
  call.freeProfile(list)
  return nodes
    .filter(({ status }) => status === EXECUTED)
    .map(({ realUs, executedAs, type }) => ({
      by: executedAs ?? 'unknown',
      kind: type ?? 'unknown',
      us: Number(realUs),
    }))
}
