import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { formatBytes } from '../shared/units.ts'
import { buildProduct } from './build.ts'
import { ARCHITECTURES, PRODUCTS } from './products.ts'

/** `npm run package [-- PRODUCT ARCHITECTURE]`: packages below packages/. */
const OUT = 'packages'
const [, , wantedProduct, wantedArchitecture] = process.argv

await mkdir(OUT, { recursive: true })
for (const product of PRODUCTS) {
  if (wantedProduct !== undefined && product.name !== wantedProduct) continue
  for (const architecture of ARCHITECTURES) {
    if (wantedArchitecture !== undefined && architecture.debian !== wantedArchitecture) continue
    const { deb, tarball, installedBytes, missing } = await buildProduct(product, architecture, OUT)
    process.stdout.write(`${deb}, ${tarball}: ${formatBytes(installedBytes)} installed\n`)
    if (missing.length > 0) {
      process.stdout.write(`  lacks ${missing.join(', ')}: build it on ${architecture.debian}\n`)
    }
  }
}
await cp('packaging/files/Containerfile', join(OUT, 'Containerfile'))
