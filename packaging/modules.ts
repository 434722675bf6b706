import { existsSync } from 'node:fs'
import { cp, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { parseJson } from '../shared/json.ts'
import type { TargetArchitecture } from './products.ts'

const packageSchema = z.looseObject({
  dependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
})

/** Names of packages that the built code of these folders imports. */
export async function importedBy(folders: readonly string[]): Promise<ReadonlySet<string>> {
  const names = new Set<string>()
  for (const folder of folders) {
    for (const file of await readdir(folder, { recursive: true })) {
      if (!file.endsWith('.js')) continue
      const text = await readFile(join(folder, file), 'utf8')
      for (const [, name] of text.matchAll(/(?:from|import\(|import) ?['"]([^.'"/][^'"]*)['"]/g)) {
        if (name !== undefined && !name.startsWith('node:')) names.add(packageOf(name))
      }
    }
  }
  return names
}

/** `@scope/name/file` → `@scope/name` */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/** These packages and all that they need, as folders of node_modules, nested ones where npm nested them. */
export async function closureOf(names: Iterable<string>): Promise<readonly string[]> {
  const found = new Set<string>()
  const visit = async (name: string, from: string): Promise<void> => {
    const folder = located(name, from)
    // Optional ones are there or not.
    if (folder === undefined || found.has(folder) || NEVER_LOADED.test(folder)) return
    found.add(folder)
    const { dependencies, optionalDependencies } = parseJson(
      packageSchema,
      await readFile(join(folder, 'package.json'), 'utf8'),
    )
    for (const next of Object.keys({ ...dependencies, ...optionalDependencies })) {
      await visit(next, folder)
    }
  }
  for (const name of names) await visit(name, '')
  return [...found].sort()
}

/** As Node resolves it: the nearest node_modules above. */
function located(name: string, from: string): string | undefined {
  for (
    let base = from;
    ;
    base = base.slice(0, Math.max(0, base.lastIndexOf('node_modules/') - 1))
  ) {
    const folder = join(base, 'node_modules', name)
    if (existsSync(join(folder, 'package.json'))) return folder
    if (base === '') return undefined
  }
}

/** Of no use where nobody develops. */
const SUPERFLUOUS =
  /\.(map|[cm]?ts|md|markdown|flow|cc?|hh?|inc|def|tsbuildinfo)$|(^|\/)(tests?|docs?|examples?|benchmarks?|\.github)(\/|$)|^test\.js$/

/** What Node never loads of a package: its other forms, for browsers, bundlers and `require`, its sources, its tools. */
const UNUSED: Readonly<Record<string, RegExp>> = {
  // The build with JSPI waits for a WebGPU that Node lacks; the wrapper is for browsers.
  '@litertjs/core': /^wasm\/litert_wasm_jspi|^dist\//,
  '@peculiar/x509': /^build\/x509\.(es\.)?js$/,
  asn1js: /\.es\.js$/,
  fflate: /^(umd|lib)\/|^esm\/browser/,
  'lru-cache': /^dist\/esm\//,
  koffi: /^(vendor|lib)\/|^cnoke/,
  mqtt: /^(dist|help)\/|^build\/bin\//,
  'onnxruntime-common': /^(lib|dist\/esm)\//,
  'onnxruntime-node': /^(lib|script)\//,
  zod: /^(src|v3|mini|v4-mini|v4\/mini)\/|\.cjs$/,
}
const UNUSED_IN_SCOPE: Readonly<Record<string, RegExp>> = {
  '@peculiar': /^build\/es2015\//,
  '@aws-sdk': /^dist-(es|types)\//,
  '@smithy': /^dist-(es|types)\//,
}

/**
 * Packages that others name among what they need, and no program of ours loads: types, what only installs, the command
 * line of mqtt, and what looks at systems without /proc, which these packages are not for.
 */
const NEVER_LOADED =
  /(^|\/)node_modules\/(@types\/[^/]+|@litertjs\/wasm-utils|adm-zip|global-agent|help-me|commist|minimist|concat-stream|systeminformation)$/

/**
 * Without what other processors and systems, or only developers, need.
 * @param base below which `folder` lies; this project where absent
 */
export async function copyModule(
  folder: string,
  to: string,
  { node }: TargetArchitecture,
  base = '',
): Promise<void> {
  const source = join(base, folder)
  const name = nameOf(folder)
  const unused = [UNUSED[name], UNUSED_IN_SCOPE[name.split('/')[0] ?? '']]
  await cp(source, join(to, folder), {
    recursive: true,
    dereference: true,
    filter: (path) => {
      const inside = path.slice(source.length + 1)
      if (inside === 'node_modules' || inside.startsWith('node_modules/')) return false
      if (unused.some((pattern) => pattern?.test(inside))) return false
      return !SUPERFLUOUS.test(inside) && isOfTarget(inside, node)
    },
  })
}

const FOREIGN_SYSTEM = /(^|\/)(darwin|win32|freebsd|openbsd|musl_[a-z0-9]+)(\/|$)/

function isOfTarget(path: string, node: string): boolean {
  if (FOREIGN_SYSTEM.test(path)) return false
  const processor = /(?:^|\/)linux[/_-](x64|arm64|arm|ia32|riscv64|loong64)(?:\/|$)/.exec(path)?.[1]
  return processor === undefined || processor === node
}

/** `node_modules/a/node_modules/@scope/b` → `@scope/b` */
export function nameOf(folder: string): string {
  return folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length)
}

/** A binary of another processor, by the name of its package: `@libsql/linux-x64-gnu`, `@img/sharp-linux-arm64`. */
export function isForeignBinary(folder: string, { node }: TargetArchitecture): boolean {
  const name = nameOf(folder)
  const [, system, processor, flavour = ''] =
    /(linux|linuxmusl|darwin|win32|freebsd|wasm32)-?(x64|arm64|arm|ia32|riscv64)?-?(\w*)$/.exec(
      name,
    ) ?? []
  if (system === undefined) return false
  return system !== 'linux' || processor !== node || flavour === 'musl'
}
