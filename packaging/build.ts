import { chmod, cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { VERSION } from '../shared/version.ts'
import { compressBelow } from './compress.ts'
import { debOf, tarOf } from './deb.ts'
import { fetchModule } from './fetch.ts'
import { closureOf, copyModule, importedBy, isForeignBinary } from './modules.ts'
import type { Product, TargetArchitecture } from './products.ts'
import { referenceFiles } from './reference.ts'

const FILES = 'packaging/files'
/** Below it lies all of a product's code. */
const HOME = 'usr/lib'
const TOP = ['etc', 'usr'] as const

export interface Built {
  readonly deb: string
  readonly tarball: string
  readonly installedBytes: number
  /** Native parts for another processor that npm did not install here, and that could not be fetched either. */
  readonly missing: readonly string[]
}

/** A .deb and a tarball of the product, below `out`. Needs tar. */
export async function buildProduct(
  product: Product,
  architecture: TargetArchitecture,
  out: string,
  version: string = VERSION,
): Promise<Built> {
  const name = `${product.name}_${version}_${architecture.debian}`
  const root = join(out, name)
  await rm(root, { recursive: true, force: true })
  const missing = await layOut(product, architecture, root)
  const installedBytes = await bytesBelow(root)
  const tarball = join(out, `${name}.tar.gz`)
  await tarOf(root, TOP, tarball)
  await control(product, architecture, root, { version, bytes: installedBytes })
  const deb = join(out, `${name}.deb`)
  await debOf(root, TOP, deb)
  await rm(root, { recursive: true })
  return { deb, tarball, installedBytes, missing }
}

async function layOut(
  product: Product,
  architecture: TargetArchitecture,
  root: string,
): Promise<string[]> {
  const home = join(root, HOME, product.name)
  for (const folder of product.code) {
    await cp(join('dist', folder), join(home, 'dist', folder), {
      recursive: true,
      filter: (path) => !path.endsWith('.map'),
    })
  }
  for (const path of ['package.json', ...product.data]) {
    await cp(path, join(home, path), { recursive: true })
  }
  const imported = await importedBy(product.code.map((folder) => join('dist', folder)))
  const modules = await closureOf([...imported, ...product.alsoLoads])
  for (const module of modules) {
    if (!isForeignBinary(module, architecture)) await copyModule(module, home, architecture)
  }
  for (const folder of product.compressed) await compressBelow(join(home, folder))
  await place(root, `usr/bin/${product.command}`, await starter(product), 0o755)
  const unit = await readFile(join(FILES, product.unit), 'utf8')
  await place(root, `usr/lib/systemd/system/${product.unit}`, unit)
  for (const [from, to] of product.conffiles) {
    await place(root, to, await readFile(join(FILES, from), 'utf8'))
  }
  await place(root, `usr/share/doc/${product.name}/copyright`, await readFile('LICENSE', 'utf8'))
  const guide = await readFile('docs/install.md', 'utf8')
  await place(root, `usr/share/doc/${product.name}/install.md`, guide)
  for (const [path, content] of await referenceFiles(product.command)) {
    await place(root, path, content)
  }
  const missing: string[] = []
  for (const module of missingOf(modules, architecture)) {
    const fetched = join(root, '..', 'fetched')
    if (await fetchModule(module, fetched)) {
      await copyModule(module, home, architecture, fetched)
      await rm(fetched, { recursive: true })
    } else missing.push(module)
  }
  return missing
}

/** Binaries that npm installs for its own processor only. */
function missingOf(modules: readonly string[], architecture: TargetArchitecture): string[] {
  const native = modules.filter((module) => isForeignBinary(module, architecture))
  return native
    .filter((module) => /linux-(x64|arm64)/.test(module) && !module.includes('musl'))
    .map((module) => module.replace(/(x64|arm64)/, architecture.node))
    .filter((module) => !modules.includes(module))
}

async function starter({ name, main }: Product): Promise<string> {
  const text = await readFile(join(FILES, 'starter'), 'utf8')
  return text.replaceAll('MAIN', `/${HOME}/${name}/${main}`)
}

async function control(
  { name, summary, unit, state, conffiles }: Product,
  { debian }: TargetArchitecture,
  root: string,
  { version, bytes }: { readonly version: string; readonly bytes: number },
): Promise<void> {
  const fields = [
    `Package: ${name}`,
    `Version: ${version}`,
    `Architecture: ${debian}`,
    'Maintainer: Fitment <maintainers@fitment.invalid>',
    `Installed-Size: ${Math.ceil(bytes / 1024)}`,
    'Depends: nodejs (>= 20.19), libc6, libstdc++6',
    'Section: misc',
    'Priority: optional',
    `Description: Fitment: ${summary}`,
    '',
  ]
  await place(root, 'DEBIAN/control', fields.join('\n'))
  await place(root, 'DEBIAN/conffiles', conffiles.map(([, to]) => `/${to}\n`).join(''))
  for (const script of ['postinst', 'prerm', 'postrm']) {
    const text = await readFile(join(FILES, script), 'utf8')
    const own = text.replaceAll('UNIT', unit).replaceAll('STATE', state)
    await place(root, `DEBIAN/${script}`, own, 0o755)
  }
}

async function place(
  root: string,
  path: string,
  content: string | Uint8Array,
  mode = 0o644,
): Promise<void> {
  const file = join(root, path)
  await mkdir(dirname(file), { recursive: true, mode: 0o755 })
  await writeFile(file, content)
  await chmod(file, mode)
}

async function bytesBelow(folder: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size
  }
  return bytes
}
