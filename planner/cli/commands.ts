import type { CliCommand } from './program/command.ts'

/**
 * Every command of `fitment` by its first word, in the order in which `--help` lists them. Each brings what it works
 * with, so that only those are loaded that a line may mean.
 */
const COMMANDS: Readonly<Record<string, () => Promise<readonly CliCommand[]>>> = {
  demo: async () => [(await import('./demo.ts')).demoCommand],
  inspect: async () => [(await import('./file/inspect.ts')).inspectCommand],
  convert: async () => [(await import('./file/convert.ts')).convertCommand],
  quantize: async () => [(await import('./file/quantize.ts')).quantizeCommand],
  compile: async () => [(await import('./file/compile.ts')).compileCommand],
  evaluate: async () => [(await import('./file/evaluate.ts')).evaluateCommand],
  compare: async () => [(await import('./file/compare.ts')).compareCommand],
  bench: async () => [(await import('./file/bench.ts')).benchCommand],
  serve: async () => [(await import('./serve/serve.ts')).serveCommand],
  broker: async () => [
    (await import('./serve/broker.ts')).brokerCommand,
    (await import('./serve/export-mosquitto.ts')).brokerExportCommand,
    (await import('./serve/export-rabbitmq.ts')).rabbitmqExportCommand,
  ],
  planner: async () => [(await import('./serve/planner.ts')).plannerCommand],
  mcp: async () => [(await import('./mcp/mcp-command.ts')).mcpCommand],
  open: async () => [(await import('./console/open.ts')).openCommand],
  builder: async () => [(await import('./serve/builder.ts')).builderCommand],
  devices: async () => {
    const { devicesInviteCommand, devicesRevokeCommand } = await import('./devices/devices-join.ts')
    const { devicesCommand } = await import('./devices/devices.ts')
    const groups = await import('./devices/devices-groups.ts')
    return [
      devicesCommand,
      devicesInviteCommand,
      devicesRevokeCommand,
      groups.devicesLabelCommand,
      groups.devicesRetireCommand,
      groups.devicesRemoveCommand,
    ]
  },
  invites: async () => {
    const invites = await import('./devices/invites.ts')
    return [invites.invitesListCommand, invites.invitesRevokeCommand]
  },
  classes: async () => [(await import('./devices/classes.ts')).classesCommand],
  models: async () => {
    const { modelsHistoryCommand, modelsListCommand, modelsShowCommand } = await import(
      './models/models.ts'
    )
    const { modelsAddCommand } = await import('./models/models-add.ts')
    const lifecycle = await import('./models/models-lifecycle.ts')
    return [
      modelsAddCommand,
      modelsListCommand,
      modelsShowCommand,
      modelsHistoryCommand,
      lifecycle.modelsAnnotateCommand,
      lifecycle.modelsPruneCommand,
      lifecycle.modelsRemoveCommand,
    ]
  },
  runtimes: async () => {
    const runtimes = await import('./runtimes/runtimes.ts')
    return [
      runtimes.runtimesAddCommand,
      runtimes.runtimesListCommand,
      runtimes.runtimesRemoveCommand,
    ]
  },
  variants: async () => [(await import('./models/variants.ts')).variantsCommand],
  probes: async () => [(await import('./devices/probes.ts')).probesCommand],
  plan: async () => [(await import('./models/plan.ts')).planCommand],
  rollout: async () => {
    const { rolloutStartCommand } = await import('./rollout/rollout-start.ts')
    const steering = await import('./rollout/rollout.ts')
    return [
      rolloutStartCommand,
      steering.rolloutStatusCommand,
      steering.rolloutPauseCommand,
      steering.rolloutResumeCommand,
      steering.rolloutAbortCommand,
      steering.rolloutApproveCommand,
    ]
  },
  health: async () => [(await import('./health/health.ts')).healthCommand],
  samples: async () => {
    const samples = await import('./health/samples.ts')
    return [samples.samplesListCommand, samples.samplesPullCommand]
  },
  alarms: async () => [(await import('./health/health.ts')).alarmsCommand],
  windows: async () => {
    const windows = await import('./rollout/windows.ts')
    return [windows.windowsSetCommand, windows.windowsListCommand, windows.windowsRemoveCommand]
  },
  rollback: async () => [(await import('./rollout/rollout-start.ts')).rollbackCommand],
  keys: async () => {
    const own = await import('./keys/keys.ts')
    const apart = await import('./keys/keys-apart.ts')
    const batches = await import('./keys/keys-batches.ts')
    return [
      own.keysListCommand,
      own.keysAnchorCommand,
      batches.keysPendingCommand,
      apart.keysSignCommand,
      batches.keysSubmitCommand,
      batches.keysDropCommand,
      apart.keysMakeCommand,
      apart.keysExportCommand,
      batches.keysRotateCommand,
    ]
  },
  backup: async () => [(await import('./operations/backup.ts')).backupCommand],
  restore: async () => [(await import('./operations/backup.ts')).restoreCommand],
  doctor: async () => [(await import('./operations/doctor.ts')).doctorCommand],
  audit: async () => [(await import('./operators/audit.ts')).auditCommand],
  webhooks: async () => {
    const webhooks = await import('./webhooks/webhooks.ts')
    return [
      webhooks.webhooksListCommand,
      webhooks.webhooksAddCommand,
      webhooks.webhooksRemoveCommand,
      webhooks.webhooksDeadCommand,
      webhooks.webhooksRetryCommand,
    ]
  },
  bridge: async () => [(await import('./bridge/hawkbit.ts')).bridgeHawkbitCommand],
  operators: async () => {
    const operators = await import('./operators/operators.ts')
    return [
      operators.operatorsAddCommand,
      operators.operatorsListCommand,
      operators.operatorsRevokeCommand,
    ]
  },
  help: async () => [(await import('./reference/help.ts')).helpCommand(() => commandsFor([]))],
  completion: async () => [
    (await import('./reference/completion.ts')).completionCommand(() => commandsFor([])),
  ],
}

/** Those that a command line may mean: all of them where its first word is none; `--version` needs none. */
export async function commandsFor([word = '']: readonly string[]): Promise<readonly CliCommand[]> {
  const named = Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined
  if (named !== undefined) return await named()
  if (word === '--version' || word === '-V') return []
  const all = await Promise.all(Object.values(COMMANDS).map((load) => load()))
  return all.flat()
}
