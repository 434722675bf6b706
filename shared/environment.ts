/** A variable of the environment that a program reads. */
export interface Variable {
  readonly name: string
  readonly of: readonly ('fitment' | 'fitment-agent')[]
  readonly meaning: string
}

const BOTH = ['fitment', 'fitment-agent'] as const
const AGENT = ['fitment-agent'] as const
const FITMENT = ['fitment'] as const

/** A setting of the agent: a flag says the same, and goes before. */
const setting = (name: string, flag: string) => ({
  name,
  of: AGENT,
  meaning: `as ${flag} of its command run`,
})

/** Every variable that a program of ours reads, in the order in which it is printed. */
export const VARIABLES: readonly Variable[] = [
  {
    name: 'FITMENT_DATA',
    of: FITMENT,
    meaning: 'data directory of the planner where --data is not given (default: ./.fitment)',
  },
  {
    name: 'FITMENT_TOKEN',
    of: FITMENT,
    meaning:
      'an operator’s token: commands ask the planner that it is for, wherever that is, and --data does not count',
  },
  {
    name: 'FITMENT_DATABASE',
    of: FITMENT,
    meaning: 'postgres://… as --database, out of sight of who lists processes',
  },
  {
    name: 'FITMENT_PASSPHRASE',
    of: FITMENT,
    meaning: 'seals and opens private keys: backup, restore, keys make, keys sign',
  },
  {
    name: 'FITMENT_VELA',
    of: FITMENT,
    meaning: 'where Arm’s compiler vela is, in the place of PATH',
  },
  {
    name: 'FITMENT_EDGETPU_COMPILER',
    of: FITMENT,
    meaning: 'where edgetpu_compiler is, in the place of PATH',
  },
  {
    name: 'FITMENT_TRACES',
    of: FITMENT,
    meaning: 'OpenTelemetry collector, as --traces of serve and planner',
  },
  {
    name: 'FITMENT_SPARKPLUG',
    of: FITMENT,
    meaning: 'broker of a plant, as --sparkplug of serve and planner',
  },
  { name: 'FITMENT_HAWKBIT_URL', of: FITMENT, meaning: 'as --url of bridge hawkbit' },
  { name: 'FITMENT_HAWKBIT_USER', of: FITMENT, meaning: 'as --user of bridge hawkbit' },
  {
    name: 'FITMENT_HAWKBIT_PASSWORD',
    of: FITMENT,
    meaning: 'of that user, where bridge hawkbit has no --password-file',
  },
  {
    name: 'OTEL_EXPORTER_OTLP_HEADERS',
    of: FITMENT,
    meaning: 'KEY=VALUE,…: headers for the OpenTelemetry collector',
  },
  {
    name: 'AWS_REGION',
    of: FITMENT,
    meaning:
      'of the bucket of --artifacts s3://…; AWS_PROFILE and the files of the AWS command line count too',
  },
  {
    name: 'AWS_ENDPOINT_URL_S3',
    of: FITMENT,
    meaning: 'where another S3 than that of AWS answers, e.g. https://s3.plant-7.example',
  },
  {
    name: 'AWS_ACCESS_KEY_ID',
    of: FITMENT,
    meaning:
      'with AWS_SECRET_ACCESS_KEY: credentials for the bucket, where no profile or role has them',
  },
  {
    name: 'FITMENT_CONFIG',
    of: AGENT,
    meaning: 'file of settings, as --config of its command run',
  },
  {
    name: 'FITMENT_STATE_DIR',
    of: AGENT,
    meaning: 'state directory, as --state-dir of every command',
  },
  { name: 'FITMENT_DEVICE', of: AGENT, meaning: 'name of the device, as --device of run and join' },
  setting('FITMENT_BROKER', '--broker'),
  setting('FITMENT_FLEET', '--fleet'),
  setting('FITMENT_TRUST', '--trust'),
  setting('FITMENT_CLASS', '--class'),
  setting('FITMENT_LABELS', '--labels'),
  setting('FITMENT_ROOT', '--root'),
  setting('FITMENT_STORAGE_LIMIT', '--storage-limit'),
  setting('FITMENT_MEMORY_LIMIT', '--memory-limit'),
  setting('FITMENT_CACHE_LIMIT', '--cache-limit'),
  setting('FITMENT_RUNTIMES', '--runtimes'),
  setting('FITMENT_LIBRARY', '--library'),
  setting('FITMENT_DELEGATE', '--delegate'),
  setting('FITMENT_DELEGATED_ONLY', '--delegated-only'),
  setting('FITMENT_OPENVINO_DEVICES', '--openvino-devices'),
  setting('FITMENT_ACCEPT_RUNTIMES', '--accept-runtimes'),
  setting('FITMENT_NO_PULL', '--no-pull'),
  setting('FITMENT_THREADS', '--threads'),
  setting('FITMENT_HEALTH_COMMAND', '--health-command'),
  setting('FITMENT_HEALTH_WORD', '--health-word'),
  setting('FITMENT_HEALTH_SECONDS', '--health-seconds'),
  setting('FITMENT_WATCH_SECONDS', '--watch-seconds'),
  setting('FITMENT_OBSERVE_SECONDS', '--observe-seconds'),
  setting('FITMENT_CAPTURE', '--capture'),
  setting('FITMENT_CHECK_DAYS', '--check-days'),
  setting('FITMENT_QUIET_HOURS', '--quiet-hours'),
  setting('FITMENT_HAWKBIT', '--hawkbit'),
  setting('FITMENT_HAWKBIT_TENANT', '--hawkbit-tenant'),
  setting('FITMENT_HAWKBIT_TARGET', '--hawkbit-target'),
  setting('FITMENT_HAWKBIT_TOKEN', '--hawkbit-token'),
  setting('FITMENT_CA', '--ca'),
  setting('FITMENT_CERT', '--cert'),
  setting('FITMENT_KEY', '--key'),
  setting('FITMENT_LOG_LEVEL', '--log-level'),
  { name: 'FITMENT_DEBUG', of: BOTH, meaning: 'set: errors come with their stack' },
  {
    name: 'FITMENT_FAIL_POINT',
    of: BOTH,
    meaning: 'dies at this write of the journal or the database: for tests of crashes',
  },
  { name: 'COLUMNS', of: FITMENT, meaning: 'width that tables fit, before what the terminal says' },
  { name: 'NO_COLOR', of: BOTH, meaning: 'heeded by having nothing to do: no output has colours' },
]
