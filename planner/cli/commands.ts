import { auditCommand } from './audit.ts'
import { benchCommand } from './bench.ts'
import { brokerCommand } from './broker.ts'
import { classesCommand } from './classes.ts'
import type { CliCommand } from './command.ts'
import { compareCommand } from './compare.ts'
import { demoCommand } from './demo.ts'
import { devicesCommand } from './devices.ts'
import { devicesInviteCommand, devicesRevokeCommand } from './devices-join.ts'
import { evaluateCommand } from './evaluate.ts'
import { brokerExportCommand } from './export-mosquitto.ts'
import { inspectCommand } from './inspect.ts'
import { keysAnchorCommand, keysListCommand } from './keys.ts'
import { keysExportCommand, keysMakeCommand, keysSignCommand } from './keys-apart.ts'
import {
  keysDropCommand,
  keysPendingCommand,
  keysRotateCommand,
  keysSubmitCommand,
} from './keys-batches.ts'
import { modelsListCommand, modelsShowCommand } from './models.ts'
import { modelsAddCommand } from './models-add.ts'
import { operatorsAddCommand, operatorsListCommand, operatorsRevokeCommand } from './operators.ts'
import { planCommand } from './plan.ts'
import { plannerCommand } from './planner.ts'
import { probesCommand } from './probes.ts'
import { quantizeCommand } from './quantize.ts'
import {
  rolloutAbortCommand,
  rolloutApproveCommand,
  rolloutPauseCommand,
  rolloutResumeCommand,
  rolloutStatusCommand,
} from './rollout.ts'
import { rolloutStartCommand } from './rollout-start.ts'
import { serveCommand } from './serve.ts'
import { variantsCommand } from './variants.ts'

/** Every command of `fitment`, in the order `--help` lists them. */
export const commands: readonly CliCommand[] = [
  demoCommand,
  inspectCommand,
  quantizeCommand,
  evaluateCommand,
  compareCommand,
  benchCommand,
  serveCommand,
  brokerCommand,
  brokerExportCommand,
  plannerCommand,
  devicesCommand,
  devicesInviteCommand,
  devicesRevokeCommand,
  classesCommand,
  modelsAddCommand,
  modelsListCommand,
  modelsShowCommand,
  variantsCommand,
  probesCommand,
  planCommand,
  rolloutStartCommand,
  rolloutStatusCommand,
  rolloutPauseCommand,
  rolloutResumeCommand,
  rolloutAbortCommand,
  rolloutApproveCommand,
  keysListCommand,
  keysAnchorCommand,
  keysPendingCommand,
  keysSignCommand,
  keysSubmitCommand,
  keysDropCommand,
  keysMakeCommand,
  keysExportCommand,
  keysRotateCommand,
  auditCommand,
  operatorsAddCommand,
  operatorsListCommand,
  operatorsRevokeCommand,
]
