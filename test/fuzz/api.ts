import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { connectPlanner } from '../../planner/api/index.ts'

/**
 * Asks a running planner what its OpenAPI document allows, and what it does not, by schemathesis of PyPI:
 * `FITMENT_SCHEMATHESIS=venv/bin/schemathesis npm run fuzz:api -- [--examples N] [--seed N]`. No answer may be a 500, or
 * of a status, kind or shape that the document does not have.
 */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_schema_conformance',
  'response_headers_conformance',
  'unsupported_method',
  'allow_header_conformance',
]

const option = (name: string, otherwise: string) => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? otherwise : (process.argv[at + 1] ?? otherwise)
}

const schemathesis = process.env.FITMENT_SCHEMATHESIS
if (schemathesis === undefined) {
  console.log('skipped: FITMENT_SCHEMATHESIS names no schemathesis (pip install schemathesis)')
} else {
  const data = await mkdtemp(join(tmpdir(), 'fitment-fuzz-api-'))
  try {
    process.exitCode = await fuzz(schemathesis, data)
  } finally {
    await rm(data, { recursive: true, force: true })
  }
}

async function fuzz(program: string, data: string): Promise<number> {
  const main = join(import.meta.dirname, '..', '..', 'planner', 'cli', 'main.js')
  const serve = [
    'serve',
    '--data',
    data,
    '--insecure-loopback',
    '--port',
    '0',
    '--metrics',
    'token',
  ]
  const api = ['--api-host', '127.0.0.1', '--api-port', '0', '--api-plain']
  const planner = spawn(process.execPath, [main, ...serve, ...api], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const url = await operatorUrl(planner.stdout)
    const admin = { name: 'fuzz', role: 'admin', days: null } as const
    const { token } = await connectPlanner(data, '').call('operators.add', admin)
    return await run(program, data, [
      'run',
      `${url}/api/v1/openapi.json`,
      ...['--header', `Authorization: Bearer ${token}`],
      // A stream has no end.
      ...['--exclude-operation-id', 'events'],
      ...['--phases', 'examples,coverage,fuzzing', '--checks', CHECKS.join(',')],
      ...['--max-examples', option('examples', '25'), '--seed', option('seed', '1')],
      ...['--request-timeout', '30', '--continue-on-failure'],
    ])
  } finally {
    planner.kill('SIGTERM')
    await once(planner, 'exit')
  }
}

async function operatorUrl(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const [, url] = /^operators ask (http:\S+)$/.exec(line) ?? []
    if (url !== undefined) return url
  }
  throw new Error('the planner ended before it said where it is asked')
}

async function run(program: string, data: string, words: readonly string[]): Promise<number> {
  // What it remembers of a run goes with the planner's data.
  const child = spawn(resolve(program), [...words], { stdio: 'inherit', cwd: data })
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? 1
}
