/** The one place that asks the planner: `/api/v1` of the origin that the page came from. */
const ROOT = '/api/v1'

export type Query = Readonly<Record<string, string | number | boolean | undefined>>

export interface ListOf<T> {
  readonly items: readonly T[]
  readonly next: string | null
  readonly total: number | null
}

export interface Progress {
  readonly what: string
  readonly done: number
  readonly total: number
}

/** What the planner says is wrong, or that it cannot be reached: status 0. */
export class Problem extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, detail: string) {
    super(detail)
    this.status = status
    this.code = code
  }

  /** Nobody answered, or the planner failed: the same question may be answered later. */
  get isPassing(): boolean {
    return this.status === 0 || this.status >= 500
  }
}

/** Whatever was thrown: what is no problem of the planner's is one of the page's. */
export function problemFrom(error: unknown): Problem {
  return error instanceof Problem ? error : pageProblem(String(error))
}

export function pageProblem(detail: string): Problem {
  return new Problem(PAGE, 'page', detail)
}

/** Of what goes wrong in the page itself: no question would mend it. */
const PAGE = -1

interface Asked {
  readonly method?: string
  readonly query?: Query
  readonly body?: unknown
  readonly signal?: AbortSignal
}

type Listener = () => void
const signedOut = new Set<Listener>()

/** Called whenever the planner no longer knows who asks. */
export function onSignedOut(listener: Listener): () => void {
  signedOut.add(listener)
  return () => signedOut.delete(listener)
}

/** Path below `/api/v1`; names in it are already made safe. @throws Problem */
export async function ask<T>(path: string, asked: Asked = {}): Promise<T> {
  const response = await answered(path, asked, 'application/json')
  return (response.status === 204 ? undefined : await response.json()) as T
}

/** A long operation, telling how far it is. @throws Problem */
export async function askLong<T>(
  path: string,
  asked: Asked,
  tell: (progress: Progress) => void,
): Promise<T> {
  const response = await answered(path, asked, 'application/x-ndjson')
  for await (const line of linesOf(response)) {
    const said = JSON.parse(line) as {
      readonly progress?: Progress
      readonly result?: T
      readonly problem?: ProblemBody
    }
    if (said.progress) tell(said.progress)
    else if (said.problem) throw problemOf(said.problem.status ?? 500, said.problem)
    else return said.result as T
  }
  throw new Problem(0, 'no-planner', 'The planner went away before it answered. Try again.')
}

/** Names in paths come from devices and people. */
export function pathOf(...parts: readonly (string | number)[]): string {
  return `/${parts.map((part) => encodeURIComponent(part)).join('/')}`
}

async function answered(path: string, asked: Asked, accept: string): Promise<Response> {
  const { method = 'GET', query = {}, body, signal } = asked
  const search = searchOf(query)
  const response = await fetch(`${ROOT}${path}${search}`, {
    method,
    headers: { accept, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
  }).catch((error: unknown) => {
    if (signal?.aborted) throw error
    throw new Problem(
      0,
      'no-planner',
      'The planner does not answer. The page tries again by itself.',
    )
  })
  if (response.ok) return response
  const problem = problemOf(response.status, await response.json().catch(() => ({})))
  if (response.status === 401 && path !== '/session') for (const listener of signedOut) listener()
  throw problem
}

interface ProblemBody {
  readonly status?: number
  readonly code?: string
  readonly detail?: string
  readonly title?: string
  readonly errors?: readonly { readonly path: string; readonly message: string }[]
}

function problemOf(status: number, { code, detail, title, errors }: ProblemBody): Problem {
  const fields = errors?.map(({ path, message }) => `${path}: ${message}`).join('; ')
  const words = detail ?? title ?? `the planner answered ${status}`
  return new Problem(status, code ?? 'unknown', fields ? `${words} (${fields})` : words)
}

function searchOf(query: Query): string {
  const said = Object.entries(query).flatMap(([key, value]) =>
    value === undefined || value === '' ? [] : [[key, String(value)]],
  )
  return said.length === 0 ? '' : `?${new URLSearchParams(said)}`
}

async function* linesOf(response: Response): AsyncGenerator<string> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const chunk = await reader?.read()
    const lines = `${rest}${chunk?.value ?? ''}`.split('\n')
    rest = lines.pop() ?? ''
    yield* lines.filter((line) => line !== '')
    if (!chunk || chunk.done) break
  }
  if (rest !== '') yield rest
}

/** Bytes of a chosen file into the planner's store; answers their digest. @throws Problem */
export function upload(file: File, tell: (share: number) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', `${ROOT}/artifacts`)
    request.setRequestHeader('content-type', 'application/octet-stream')
    request.responseType = 'json'
    request.upload.onprogress = ({ loaded, total }) => tell(total === 0 ? 1 : loaded / total)
    request.onerror = () =>
      reject(
        new Problem(0, 'no-planner', `${file.name} did not arrive: the planner does not answer.`),
      )
    request.onload = () => {
      const body = (request.response ?? {}) as ProblemBody & { readonly digest?: string }
      if (request.status < 300 && body.digest !== undefined) resolve(body.digest)
      else reject(problemOf(request.status, body))
    }
    request.send(file)
  })
}
