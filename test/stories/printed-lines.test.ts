import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { demoFile } from '../../planner/demo/demo-file.ts'
import { shellWord } from '../../shared/started-as.ts'

const PROGRAMS = { fitment: 'planner', 'fitment-agent': 'agent' } as const

/** A folder with the programs below it, on no PATH, and with a blank in every path. */
function folderOf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'fit printed '))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'bin'))
  for (const [program, part] of Object.entries(PROGRAMS)) {
    const main = fileURLToPath(new URL(`../../${part}/cli/main.js`, import.meta.url))
    symlinkSync(main, join(folder, 'bin', program))
  }
  return folder
}

/** What a person pastes, in a shell in the same folder. */
function paste(t: Test, cwd: string, line: string): ChildProcess {
  const child = spawn('sh', ['-c', `exec ${line}`], { cwd, env: { PATH: process.env.PATH } })
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  })
  return child
}

async function said(child: ChildProcess): Promise<{ code: number; text: string }> {
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      text += String(chunk)
    })
  }
  const [code] = (await once(child, 'close')) as [number]
  return { code, text }
}

/** The lines that a text offers to be pasted, which stand apart. */
function offered(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => /^ {2}(\S.*)$/.exec(line)?.[1] ?? [])
}

async function servedLines(child: ChildProcess): Promise<readonly string[]> {
  let text = ''
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk)
    if (text.includes('rollout start')) break
  }
  return offered(text)
}

t.test('what the programs print as the next step works as printed', async (t) => {
  const cwd = folderOf(t)
  const run = (line: string) => said(paste(t, cwd, line))
  const serve = paste(t, cwd, "bin/fitment serve --data './the fleet' --port 0")
  const [invite = '', , , start = ''] = await servedLines(serve)

  const invited = await run(invite.replace('NAME', 'press-1'))
  t.equal(invited.code, 0, invited.text)
  const [token = ''] = invited.text.split('\n')
  const [join = ''] = offered(invited.text)
  const joined = await run(
    join.replace('TOKEN', token).replace('/var/lib/fitment-agent', "'its state'"),
  )
  t.equal(joined.code, 0, joined.text)
  const [agent = ''] = offered(joined.text)
  t.equal(agent, "bin/fitment-agent run --state-dir 'its state'")
  paste(t, cwd, agent).stderr?.resume()

  const refused = await run(start.replace('NAME', 'motor'))
  t.equal(refused.code, 1)
  const [, add = ''] = /add one with (.*)$/m.exec(refused.text) ?? []
  const files = { 'F.tflite': 'model.tflite', 'F.npz': 'test.npz' }
  const filled = add.replace(/F\.tflite|F\.npz/g, (name) =>
    shellWord(demoFile('motor-faults', files[name as keyof typeof files])),
  )
  const added = await run(filled)
  t.equal(added.code, 0, added.text)

  const nothing = await run("bin/fitment variants motor --data './the fleet'")
  const [, plan = ''] = /planned yet: (.*)$/m.exec(nothing.text) ?? []
  t.match((await run(`${plan} --dry-run`)).text, /static-w8a8/)
})
