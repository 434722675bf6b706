import { release } from 'node:os'
import type { HardwareReport } from '../../shared/messages/index.ts'
import type { DeviceRoot } from '../device-root/index.ts'

export async function readOperatingSystem(root: DeviceRoot): Promise<HardwareReport['os']> {
  return {
    kernel: await kernelOf(root),
    distribution: await distributionOf(root),
    libc: (await muslOf(root)) ?? (root.live ? runningGlibc() : await capturedGlibc(root)),
  }
}

async function kernelOf(root: DeviceRoot): Promise<string> {
  const osrelease = await root.text('/proc/sys/kernel/osrelease')
  const version = /^Linux version (\S+)/.exec((await root.text('/proc/version')) ?? '')?.[1]
  return osrelease ?? version ?? (root.live ? release() : 'unknown')
}

/** os-release(5): shell assignments, the name possibly quoted. */
async function distributionOf(root: DeviceRoot): Promise<string | null> {
  const text =
    (await root.text('/etc/os-release')) ?? (await root.text('/usr/lib/os-release')) ?? ''
  const assigned = /^PRETTY_NAME=(.*)$/m.exec(text)?.[1]?.trim()
  const name = assigned?.replace(/^(["'])(.*)\1$/, '$2').replace(/\\(.)/g, '$1')
  return name === undefined || name === '' ? null : name
}

async function muslOf(root: DeviceRoot): Promise<string | null> {
  const loaders = await root.glob('/lib/ld-musl-*.so.1')
  const glibc = root.live ? runningGlibc() : null
  return loaders.length > 0 && glibc === null ? 'musl' : null
}

interface ReportHeader {
  readonly header?: { readonly glibcVersionRuntime?: string }
}

function runningGlibc(): string | null {
  // Without this the report looks up the names of connected peers (Node 20.13, absent from its types).
  Object.assign(process.report, { excludeNetwork: true })
  const report = process.report.getReport() as ReportHeader
  const version = report.header?.glibcVersionRuntime
  return version === undefined ? null : `glibc ${version}`
}

/** glibc before 2.34 has its version in the file name. */
async function capturedGlibc(root: DeviceRoot): Promise<string | null> {
  const files = [
    ...(await root.glob('/lib/*/libc-2.*.so')),
    ...(await root.glob('/lib/libc-2.*.so')),
  ]
  const version = /libc-(2\.\d+)\.so$/.exec(files[0] ?? '')?.[1]
  return version === undefined ? null : `glibc ${version}`
}
