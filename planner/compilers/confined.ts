import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { killGroup } from '../../shared/process-group.ts'

export interface Confinement {
  /** Where it runs, and all of its world that it may change by its environment. */
  readonly folder: string
  readonly timeoutMs: number
  /** Of address space. */
  readonly memoryBytes: number
  /** Largest file it may write. */
  readonly fileBytes: number
  readonly signal?: AbortSignal | undefined
}

export interface Ended {
  readonly how: 'exited' | 'timeout' | 'cancelled' | 'not-started'
  /** Null where a signal ended it. */
  readonly code: number | null
  readonly signal: string | null
  /** The last of what it said, on either stream. */
  readonly said: string
  /** Whether the kernel gave it a network of its own, with nothing in it. */
  readonly withoutNetwork: boolean
}

/** The last of what a program says is what matters; one that never stops talking fills no memory. */
const KEPT_CHARACTERS = 256 * 1024

/**
 * Runs a program nobody vouches for: with a time limit, limits on memory and files by the shell's ulimit, no network where
 * the system allows it, and a bare environment. Whatever it starts ends with it.
 */
export async function runConfined(
  command: string,
  args: readonly string[],
  limits: Confinement,
): Promise<Ended> {
  const withoutNetwork = await canCutOff()
  const kib = Math.ceil(limits.memoryBytes / 1024)
  const blocks = Math.ceil(limits.fileBytes / 512)
  // POSIX counts files in blocks of 512 bytes, and shells memory in KiB.
  const script = `ulimit -v ${kib}; ulimit -f ${blocks}; ulimit -c 0; exec "$@"`
  const words = ['sh', '-c', script, 'sh', command, ...args]
  const [program = 'sh', ...rest] = withoutNetwork ? [...CUT_OFF, ...words] : words
  const child = spawn(program, rest, {
    cwd: limits.folder,
    env: bareEnvironment(limits.folder),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const said = listen(child)
  return { ...(await ending(child, limits)), said: said(), withoutNetwork }
}

/** A user namespace in which the program is root, and so may have a network of its own. */
const CUT_OFF = ['unshare', '--map-root-user', '--net', '--']

function canCutOff(): Promise<boolean> {
  const [program = '', ...args] = [...CUT_OFF, 'true']
  return new Promise((resolve) =>
    execFile(program, args, { timeout: 5_000 }, (error) => resolve(error === null)),
  )
}

function bareEnvironment(folder: string): NodeJS.ProcessEnv {
  const path = process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin'
  return { PATH: path, HOME: folder, TMPDIR: folder, LANG: 'C.UTF-8', PYTHONDONTWRITEBYTECODE: '1' }
}

function listen({ stdout, stderr }: ChildProcess): () => string {
  let said = ''
  const hear = (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-KEPT_CHARACTERS)
  }
  stdout?.on('data', hear)
  stderr?.on('data', hear)
  return () => said
}

type Ending = Pick<Ended, 'how' | 'code' | 'signal'>

function ending(child: ChildProcess, { timeoutMs, signal }: Confinement): Promise<Ending> {
  return new Promise((resolve) => {
    let how: Ended['how'] = 'exited'
    const stop = (why: 'timeout' | 'cancelled') => {
      how = why
      killGroup(child)
    }
    const cancel = () => stop('cancelled')
    const timer = setTimeout(() => stop('timeout'), timeoutMs)
    const settle = (end: Ending) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', cancel)
      // What it started in the background must not outlive it.
      killGroup(child)
      resolve(end)
    }
    child.once('error', () => settle({ how: 'not-started', code: null, signal: null }))
    // Its children may hold the pipes: its own end is what counts.
    child.once('exit', (code, by) => setImmediate(() => settle({ how, code, signal: by })))
    signal?.addEventListener('abort', cancel)
    if (signal?.aborted) cancel()
  })
}
