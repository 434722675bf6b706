import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { freePort } from '../../free-port.ts'
import { killChild } from '../../kill-child.ts'
import { listening } from '../fleet/brokers.ts'

/** Signatures, access and objects as S3 has them, over a folder. */
const PROGRAM = process.env.FITMENT_TEST_VERSITYGW ?? 'versitygw'

export interface S3Server {
  /** What a client of it finds in its environment. */
  readonly environment: Readonly<Record<string, string>>
  /** Where the objects of a bucket lie as files. */
  folderOf(bucket: string): string
  start(): Promise<void>
  /** By SIGKILL. */
  stop(): Promise<void>
}

/** Why it cannot be tested here; false where it can. */
export function withoutS3(): string | false {
  const { status } = spawnSync(PROGRAM, ['--version'])
  return (
    status !== 0 &&
    'needs versitygw on the PATH, or FITMENT_TEST_VERSITYGW (go install github.com/versity/versitygw/cmd/versitygw@v1.8.0)'
  )
}

export async function s3Server(t: Test, buckets: readonly string[]): Promise<S3Server> {
  const dir = mkdtempSync(join(tmpdir(), 'fitment-s3-'))
  const folderOf = (bucket: string) => join(dir, 'buckets', bucket)
  for (const bucket of buckets) mkdirSync(folderOf(bucket), { recursive: true })
  const port = await freePort()
  const [user, secret] = ['fitment', 'only-for-tests']
  let server: ChildProcess | undefined
  const stop = () => killChild(server)
  t.teardown(async () => {
    await stop()
    rmSync(dir, { recursive: true, force: true })
  })
  return {
    environment: {
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}`,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: user,
      AWS_SECRET_ACCESS_KEY: secret,
    },
    folderOf,
    stop,
    async start() {
      const where = ['--port', `127.0.0.1:${port}`, 'posix', join(dir, 'buckets')]
      server = spawn(PROGRAM, ['--access', user, '--secret', secret, ...where], {
        stdio: 'ignore',
        cwd: dir,
      })
      await listening(port)
    },
  }
}
