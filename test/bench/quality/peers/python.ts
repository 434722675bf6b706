import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** The peers are Python programs: `FITMENT_PYTHON` names an interpreter that has their packages. */
const PYTHON = process.env.FITMENT_PYTHON ?? 'python3'
const PACKAGES = [
  'ai-edge-quantizer',
  'ai-edge-litert',
  'onnx',
  'onnxruntime',
  'tensorflow-cpu',
] as const

/** Relative to the checkout: scripts are not compiled with the rest. */
export const SCRIPTS = join('test', 'bench', 'quality', 'peers')
export type PeerPackage = (typeof PACKAGES)[number]

const versions = installed()

/** Why the packages' rows are missing; undefined where they can be asked. */
export async function withoutPeer(
  ...packages: readonly PeerPackage[]
): Promise<string | undefined> {
  const found = await versions
  const missing = packages.filter((name) => found[name] === undefined)
  return missing.length === 0
    ? undefined
    : `no row of ${missing.join(', ')}: ${PYTHON} has no such package (FITMENT_PYTHON names a Python that has)`
}

export async function peerVersions(): Promise<string> {
  const found = Object.entries(await versions)
  return found.map(([name, version]) => `${name} ${version}`).join(', ') || 'none'
}

/** Runs a script beside this file with one JSON argument; its last line of output is its answer, in JSON. */
export async function askPeer(script: string, request: object): Promise<unknown> {
  const { stdout } = await execute(PYTHON, [join(SCRIPTS, script), JSON.stringify(request)], {
    maxBuffer: 2 ** 26,
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' },
  })
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
}

async function installed(): Promise<Partial<Record<string, string>>> {
  const code = `import importlib.metadata as m, json, sys
found = {d.metadata['Name'].replace('_', '-'): d.version for d in m.distributions()}
print(json.dumps({n: found[n] for n in sys.argv[1:] if n in found}))`
  try {
    const { stdout } = await execute(PYTHON, ['-c', code, ...PACKAGES])
    return JSON.parse(stdout)
  } catch {
    return {}
  }
}
