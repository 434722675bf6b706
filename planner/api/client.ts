import { createReadStream } from 'node:fs'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import { messageOf, UsageError } from '../../shared/errors.ts'
import { parseJson } from '../../shared/json.ts'
import { type ApiTransport, apiTransport } from './api-transport.ts'
import {
  type ApiProgress,
  answerLineSchema,
  OPERATIONS,
  type OperationInput,
  type OperationName,
  type OperationOutput,
  PATHS,
} from './contract.ts'
import { ApiError, RemoteError } from './errors.ts'

export interface PlannerClient {
  /** @throws ApiError `no-planner`, RemoteError with the planner's own code, UsageError */
  call<K extends OperationName>(
    name: K,
    input: OperationInput<K>,
    onProgress?: (progress: ApiProgress) => void,
  ): Promise<OperationOutput<K>>
  /** Bytes of a file into the planner's store; answers their digest. */
  upload(path: string): Promise<string>
}

/**
 * The planner that runs on this data directory; with a token in FITMENT_TOKEN, the one elsewhere that the
 * token is for.
 */
export function connectPlanner(
  data: string,
  token: string | undefined = process.env.FITMENT_TOKEN,
): PlannerClient {
  const transport = apiTransport(data, token)
  const { ask } = transport
  return {
    async call(name, input, onProgress = () => {}) {
      const sent = await ask('POST', `${PATHS.operations}${name}`)
      sent.end(JSON.stringify(input))
      const result = await answerTo(sent, transport, onProgress)
      const parsed = OPERATIONS[name].output.safeParse(result)
      if (!parsed.success) {
        throw new ApiError(
          'broken-answer',
          `the planner answers ${name} in another form: are fitment and planner of one version?`,
        )
      }
      return parsed.data as OperationOutput<typeof name>
    },
    async upload(path) {
      const sent = await ask('PUT', PATHS.artifacts)
      const file = createReadStream(path)
      const broken = new Promise<never>((_, reject) => {
        file.once('error', (error: NodeJS.ErrnoException) => {
          sent.destroy()
          reject(
            new UsageError(`cannot read ${path}: ${REASONS[error.code ?? ''] ?? error.message}`),
          )
        })
      })
      file.pipe(sent)
      const result = await Promise.race([answerTo(sent, transport, () => {}), broken])
      return (result as { digest: string }).digest
    },
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'reading it is not allowed',
}

async function answerTo(
  sent: ClientRequest,
  transport: ApiTransport,
  onProgress: (progress: ApiProgress) => void,
): Promise<unknown> {
  const response = await responseTo(sent, transport)
  for await (const text of createInterface({ input: response })) {
    const line = parseJson(answerLineSchema, text)
    if ('progress' in line) onProgress(line.progress)
    else if ('error' in line) throw thrown(line.error)
    else return line.result
  }
  throw new ApiError(
    'no-planner',
    'the planner went away before it answered: look at its log, then try again',
  )
}

function responseTo(sent: ClientRequest, transport: ApiTransport): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once('response', resolve)
    sent.once('error', (error: NodeJS.ErrnoException) => {
      const nobody = error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
      const message = nobody
        ? `no planner runs on ${transport.place}: ${transport.advice}`
        : `cannot talk to the planner on ${transport.place}: ${messageOf(error)}`
      reject(new ApiError('no-planner', message, { place: transport.place }))
    })
  })
}

function thrown({ code, message }: { code: string; message: string }): Error {
  return code === 'usage' ? new UsageError(message) : new RemoteError(code, message)
}
