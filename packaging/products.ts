/** What is packaged: one row each. */
export interface Product {
  readonly name: string
  readonly summary: string
  /** Folders of `dist` that it runs. */
  readonly code: readonly string[]
  /** Its command, and what it starts. */
  readonly command: string
  readonly main: string
  readonly unit: string
  /** Removed when the package is purged. */
  readonly state: string
  /** From packaging/files, where they go; theirs are kept when the package is upgraded. */
  readonly conffiles: readonly (readonly [string, string])[]
  /** Of the repository, where the code finds them. */
  readonly data: readonly string[]
  /** Packages loaded by name at run time, which no import shows. */
  readonly alsoLoads: readonly string[]
  /** Files of packages that lie there compressed, and are inflated into memory by who loads them. */
  readonly compressed: readonly string[]
}

export const PRODUCTS: readonly Product[] = [
  {
    name: 'fitment-agent',
    summary: 'measures and installs models on this device',
    code: ['agent', 'shared'],
    command: 'fitment-agent',
    main: 'dist/agent/cli/main.js',
    unit: 'fitment-agent.service',
    state: '/var/lib/fitment-agent',
    conffiles: [['agent.json', 'etc/fitment/agent.json']],
    data: ['firmware-profiles'],
    alsoLoads: ['@litertjs/core', 'onnxruntime-node', 'koffi'],
    compressed: ['node_modules/@litertjs/core/wasm'],
  },
  {
    name: 'fitment',
    summary: 'quantizes, probes and ships models to a fleet of devices',
    code: ['planner', 'broker', 'agent', 'shared'],
    command: 'fitment',
    main: 'dist/planner/cli/main.js',
    unit: 'fitment.service',
    state: '/var/lib/fitment',
    conffiles: [['planner.env', 'etc/fitment/planner.env']],
    data: ['firmware-profiles', 'planner/demo'],
    alsoLoads: ['@litertjs/core', 'onnxruntime-node', 'koffi', 'sharp', 'libsql'],
    // A planner starts runtimes by the hundred, and has the room.
    compressed: [],
  },
]

/** A processor as Debian and as Node name it. */
export const ARCHITECTURES = [
  { debian: 'amd64', node: 'x64' },
  { debian: 'arm64', node: 'arm64' },
] as const
export type TargetArchitecture = (typeof ARCHITECTURES)[number]
