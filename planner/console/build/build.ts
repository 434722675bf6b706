/**
 * `node dist/planner/console/build/build.js`: the console's sources → the files that the planner serves. A step of
 * `npm run build`, and so of `npm ci`; esbuild comes from the registry as a binary.
 */
import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'
import { build } from 'esbuild'
import { ASSETS_FILE, type Assets } from '../assets.ts'

const ROOT = join(import.meta.dirname, '../../../..')
const SOURCES = join(ROOT, 'planner/console/page')
const BUILT = join(import.meta.dirname, '../built')
const PAGE = 'index.html'

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

await rm(BUILT, { recursive: true, force: true })
await mkdir(BUILT, { recursive: true })
const names = { ...(await bundled()), icon: await put('icon.svg', await source('icon.svg')) }
const html = (await source(PAGE)).toString('utf8')
await putWhole(PAGE, Buffer.from(html.replace(/\{\{(\w+)\}\}/g, (_, key) => named(key))))
const assets: Assets = {
  page: PAGE,
  files: Object.values(names).map((name) => ({ name, type: TYPES[extname(name)] ?? '' })),
}
await writeFile(join(BUILT, ASSETS_FILE), JSON.stringify(assets))

function named(key: string): string {
  const name = Object.entries(names).find(([known]) => known === key)?.[1]
  if (name === undefined) throw new Error(`${PAGE} asks for {{${key}}}, which is not built`)
  return name
}

/** Script and style sheet, each as one file. */
async function bundled(): Promise<{ readonly script: string; readonly style: string }> {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(SOURCES, 'main.tsx')],
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['es2022'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    charset: 'utf8',
    legalComments: 'none',
    outdir: BUILT,
    write: false,
    metafile: true,
    absWorkingDir: ROOT,
  })
  requireOwn(Object.keys(metafile.inputs))
  const found = (extension: string) => {
    const file = outputFiles.find(({ path }) => path.endsWith(extension))
    if (!file) throw new Error(`esbuild made no ${extension}`)
    return Buffer.from(file.contents)
  }
  return {
    script: await put('console.js', found('.js')),
    style: await put('console.css', found('.css')),
  }
}

/** What a browser is given: the console, what both ends share, and Preact. Of the planner it knows types only. */
function requireOwn(inputs: readonly string[]): void {
  const alien = inputs.find(
    (path) => !/^(planner\/console|shared|node_modules\/preact)\//.test(path),
  )
  if (alien !== undefined) throw new Error(`${alien} would be in the page: import its types only`)
}

function source(name: string): Promise<Buffer> {
  return readFile(join(SOURCES, name))
}

/** Under a name that changes with what is in it. */
async function put(name: string, bytes: Buffer): Promise<string> {
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 12)
  const extension = extname(name)
  const full = `${name.slice(0, -extension.length)}-${digest}${extension}`
  await putWhole(full, bytes)
  return full
}

async function putWhole(name: string, bytes: Buffer): Promise<void> {
  await writeFile(join(BUILT, name), bytes)
  const { BROTLI_PARAM_QUALITY, BROTLI_MAX_QUALITY } = constants
  const params = { [BROTLI_PARAM_QUALITY]: BROTLI_MAX_QUALITY }
  await writeFile(join(BUILT, `${name}.br`), brotliCompressSync(bytes, { params }))
}
