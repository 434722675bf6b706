/**
 * Which file may import which: the walls between the folders, for `npm run check`. Biome judges one file by the text
 * of its imports, or one symbol by a tag; faces and cycles between folders need the resolved graph. (Cycles between
 * files it does see: `noImportCycles`.) Types are imports here as well, as they tie files just the same.
 */
import { readdirSync } from 'node:fs'
import { posix, sep } from 'node:path'

const SOURCES = ['agent', 'broker', 'planner', 'shared']

/** Every single way past a face or through a wall: one file, and who takes it (a pattern of paths), and why. */
const EXCEPTIONS = [
  {
    to: 'broker/index.ts',
    from: '^planner/(cli|server)/',
    why: 'the command line runs broker and planner in one process',
  },
  {
    to: 'planner/formats/tflite/index.ts',
    from: '^planner/formats/onnx/import/',
    why: 'the importer reads the other format, by its face',
  },
  ...['onnx', 'tflite'].map((format) => ({
    to: `planner/formats/${format}/quantizable.ts`,
    from: '^planner/formats/index[.]ts$',
    why: 'loaded when a model of the format is opened, so that no process reads the code of both',
  })),
  ...['index', 'source'].map((file) => ({
    to: `planner/formats/onnx/${file}.ts`,
    from: '^planner/formats/tflite/import/',
    why: 'the importer reads the other format, by its face, and the inside of a graph by another',
  })),
  ...['onnx', 'tflite'].map((format) => ({
    to: `planner/formats/${format}/import/index.ts`,
    from: '^planner/(formats/convert[.]ts$|conversion/|cli/file/inspect-conversion[.]ts$)',
    why: 'loaded by those alone who convert',
  })),
  ...['file-speed', 'file-target'].map((file) => ({
    to: `planner/variants/${file}.ts`,
    from: '^planner/cli/file/quantize[.]ts$',
    why: 'a file without a fleet loads no schemas of models and devices',
  })),
  {
    to: 'shared/dataset/convert.ts',
    from: '^planner/quantizer/inference-pool/worker[.]ts$',
    why: 'the threads of the pool load no parsers of data files',
  },
  {
    to: 'shared/measure/records.ts',
    from: '^(agent|planner|shared)/',
    why: 'records as they travel: who reads them measures nothing, who measures parses nothing',
  },
  {
    to: 'shared/messages/hardware-report.ts',
    from: '^planner/variants/facts[.]ts$',
    why: 'the processes of jobs load no messages, and no metadata that is signed',
  },
  ...['join', 'renew'].map((file) => ({
    to: `agent/identity/${file}.ts`,
    from: '^agent/cli/join-command[.]ts$',
    why: 'what makes keys and certificates stays out of the daemon’s memory',
  })),
  ...['litert/engine', 'onnxruntime/onnxruntime'].map((file) => ({
    to: `shared/runtime/${file}.ts`,
    from: '^planner/quantizer/inference-pool/engines[.]ts$',
    why: 'the threads of the pool read activations where the runtime computed them',
  })),
  {
    to: 'shared/runtime/onnxruntime/profile.ts',
    from: '^planner/formats/onnx/times[.]ts$',
    why: 'profiles are ONNX Runtime’s own, and loaded where it runs',
  },
  {
    to: 'agent/artifacts/slot.ts',
    from: '^agent/client/current[.]ts$',
    why: 'the client runs in the user’s own program, which needs one schema and no store of artifacts',
  },
]

/** Their index is the face of the files beside it only: the folders below are capabilities with faces of their own. */
const SHELVES = ['planner/formats']

/** What a device loads; whatever else package.json names is for the broker and the planner. */
const DEVICE_PACKAGES = [
  '@peculiar/x509',
  '@tufjs/models',
  'commander',
  'fflate',
  'koffi',
  'mqtt',
  'onnxruntime-node',
  'pino',
  'reflect-metadata',
  'systeminformation',
  'zod',
]

const exactly = (file) => `^${file.replaceAll('.', '[.]')}$`
const below = (folder) => `^${folder}/`

/** One rule for all files but those of the exceptions, and one for each of these, which spares its takers. */
const withExceptions = ({ from, to, ...rule }) => [
  {
    ...rule,
    from,
    to: { ...to, pathNot: [...(to.pathNot ?? []), ...EXCEPTIONS.map(({ to }) => exactly(to))] },
  },
  ...EXCEPTIONS.map((exception) => ({
    ...rule,
    from: { ...from, pathNot: [...(from.pathNot ?? []), exception.from] },
    to: { ...to, path: `(?=${to.path})${exactly(exception.to)}` },
  })),
]

const faces = SOURCES.flatMap((source) =>
  readdirSync(source, { recursive: true })
    .map((file) => posix.join(source, ...file.split(sep)))
    .filter((file) => posix.basename(file) === 'index.ts')
    .map((file) => posix.dirname(file)),
)

const behind = (folder) => (SHELVES.includes(folder) ? `${below(folder)}[^/]+$` : below(folder))

const faceRules = faces.flatMap((folder) => [
  {
    name: 'past-the-face',
    severity: 'error',
    comment: 'A folder with an index.ts is imported by it: what lies behind may change unseen.',
    from: { pathNot: [below(folder)] },
    to: { path: behind(folder), pathNot: [exactly(`${folder}/index.ts`)] },
  },
  {
    name: 'own-face',
    severity: 'error',
    comment:
      'Insiders import the file: by way of the index each file of a folder would import all.',
    from: { path: below(folder) },
    to: { path: exactly(`${folder}/index.ts`) },
  },
])

const PLANNER_LAYER = '^(planner/(?:formats/[^/]+|quantizer))/'

const directionRules = [
  {
    name: 'shared-is-the-ground',
    severity: 'error',
    comment: 'shared imports none of agent, broker, planner; its own files none of its folders.',
    from: { path: below('shared') },
    to: { path: below('(agent|broker|planner)') },
  },
  {
    name: 'shared-is-the-ground',
    severity: 'error',
    comment: 'The folders of shared stand on the files beside them.',
    from: { path: '^shared/[^/]+$' },
    to: { path: '^shared/[^/]+/' },
  },
  {
    name: 'the-wire-is-the-api',
    severity: 'error',
    comment: 'Agent, broker and planner speak by messages and import only shared.',
    from: { path: below('(agent|broker|planner)') },
    to: { path: below('(agent|broker|planner)'), pathNot: [below('$1')] },
  },
  {
    name: 'waist',
    severity: 'error',
    comment: 'planner/graph imports shared only.',
    from: { path: below('planner/graph') },
    to: { path: below('planner'), pathNot: [below('planner/graph')] },
  },
  {
    name: 'waist',
    severity: 'error',
    comment: 'planner/targets imports graph and shared only.',
    from: { path: below('planner/targets') },
    to: { path: below('planner'), pathNot: [below('planner/(graph|targets)')] },
  },
  {
    name: 'waist',
    severity: 'error',
    comment: 'A format and the quantizer import graph, targets and shared, never each other.',
    from: { path: PLANNER_LAYER },
    to: { path: below('planner'), pathNot: [below('planner/(graph|targets)'), below('$1')] },
  },
]

/** @type {import('dependency-cruiser').IConfiguration} */
const configuration = {
  forbidden: [
    ...[...faceRules, ...directionRules].flatMap(withExceptions),
    {
      name: 'folder-cycle',
      severity: 'error',
      comment:
        'Folders that import each other are one folder. A folder and those below it count as one, as a face covers both. Each format has an importer from the other, which its own face knows nothing of.',
      scope: 'folder',
      from: { pathNot: '^planner/formats/(onnx|tflite)(/import)?$' },
      to: { circular: true },
    },
    {
      name: 'device-packages',
      severity: 'error',
      comment: 'A device loads no package that only the planner or the broker needs.',
      from: { path: below('(agent|shared)') },
      to: {
        path: below('node_modules'),
        pathNot: DEVICE_PACKAGES.map((name) => below(`node_modules/${name}`)),
      },
    },
    {
      name: 'no-tests',
      severity: 'error',
      comment: 'Tests import the sources, never the other way.',
      from: {},
      to: { path: below('test') },
    },
    {
      name: 'unresolved',
      severity: 'error',
      comment: 'An import that is not found escapes every other rule.',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    // TypeScript 7 has no compiler API to read the sources with.
    parser: 'swc',
    // Which its parser does not read as JSX; what of the planner is in the page the console's build looks at.
    exclude: { path: '[.]tsx$' },
    doNotFollow: { path: 'node_modules' },
    moduleSystems: ['es6'],
    skipAnalysisNotInRules: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
      extensions: ['.ts', '.js', '.json'],
    },
  },
}

// biome-ignore lint/style/noDefaultExport: dependency-cruiser reads it
export default configuration
