import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { referenceTarget } from '../../planner/targets/index.ts'
import { readArrays } from '../../shared/dataset/index.ts'
import type { ModelFormat } from '../../shared/runtime/index.ts'
import type { Tensor } from '../../shared/tensors.ts'
import type { Job } from './answer.ts'

const execute = promisify(execFile)
const ANSWER = fileURLToPath(new URL('./answer.js', import.meta.url))

/** A processor that can run Node: this one, or one that QEMU emulates. */
export interface Machine {
  readonly name: string
  /** Starts Node on it. */
  readonly node: string
}

export const HOST: Machine = { name: 'host', node: process.execPath }

/** A script in `folder` that stands for `node`, so that whatever starts Node starts it on that processor. */
export async function emulated(
  folder: string,
  name: string,
  command: readonly string[],
): Promise<Machine> {
  await mkdir(folder, { recursive: true })
  const node = join(folder, `node-${name}`)
  const quoted = command.map((word) => `'${word}'`).join(' ')
  // QEMU names on standard error what of a processor it cannot do.
  await writeFile(node, `#!/bin/sh\nexec ${quoted} "$@"\n`)
  await chmod(node, 0o755)
  return { name, node }
}

export function withoutProgram(name: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.some((folder) => existsSync(join(folder, name)))
    ? undefined
    : `needs ${name}: apt-get install qemu-user`
}

/** Runs a script of ours there, and gives what it printed. */
export async function runOn(machine: Machine, script: string, ...args: string[]): Promise<string> {
  const { stdout } = await execute(machine.node, [script, ...args], { maxBuffer: 2 ** 26 })
  return stdout
}

export interface Question {
  readonly name: string
  readonly model: string
  readonly format: ModelFormat
  readonly samples: string
}

/** What each model answers on a machine, by the question's name: outputs by name, samples first. */
export async function answersOf(
  machine: Machine,
  folder: string,
  questions: readonly Question[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, Tensor>>> {
  const jobs = questions.map(({ name, format, ...rest }): Job => {
    const runtime = referenceTarget(format)
    return { ...rest, runtime, answers: join(folder, `${name}.${machine.name}.npz`) }
  })
  const path = join(folder, `jobs.${machine.name}.json`)
  await writeFile(path, JSON.stringify(jobs))
  await runOn(machine, ANSWER, path)
  const answers = jobs.map(({ answers: file }) => readArrays(file))
  const read = await Promise.all(answers)
  return new Map(questions.map(({ name }, i) => [name, read[i] ?? new Map()]))
}
