import type { Finding } from '../../../shared/findings.ts'
import { type Level, NOISY_DB, type OutputLevel, type SliceLevel, UNSETTLED_DB } from './level.ts'

/** Words about what was lost: slices that died, outputs with much noise, and the level that was asked for. */
export function levelFindings(level: Level, next: string, asked: number | undefined): Finding[] {
  const dead = level.outputs.flatMap(({ slices }) => slices.filter(({ died }) => died !== null))
  const noisy = level.outputs.filter(({ sqnrDb }) => sqnrDb < NOISY_DB)
  return [
    ...dead.map((slice) => diedFinding(slice, next)),
    ...noisy.map((output) => noisyFinding(output, next)),
    ...level.outputs.filter(isUncertain).map((output) => uncertainFinding(output, level.samples)),
    ...missed(level, dead, asked),
  ]
}

function diedFinding({ name, sqnrDb, died }: SliceLevel, next: string): Finding {
  const how =
    died === 'one-code'
      ? 'holds a single code where the float model varies'
      : `is lost in noise (${sqnrDb.toFixed(1)} dB)`
  return {
    code: 'slice-died',
    severity: 'warning',
    message: `${name} ${how}: ${next}`,
    where: name,
  }
}

function noisyFinding({ name, sqnrDb }: OutputLevel, next: string): Finding {
  return {
    code: 'output-noisy',
    severity: 'warning',
    message: `output "${name}" reaches ${sqnrDb.toFixed(1)} dB only, below ${NOISY_DB} answers change: ${next}`,
    where: name,
  }
}

/** Other samples may lie far from it, or on the other side of what changes answers. */
function isUncertain(output: OutputLevel): boolean {
  return mayBeNoisy(output) || (output.spreadDb ?? 0) > UNSETTLED_DB
}

function mayBeNoisy({ sqnrDb, spreadDb }: OutputLevel): boolean {
  return spreadDb === null || (sqnrDb >= NOISY_DB && sqnrDb - spreadDb < NOISY_DB)
}

function uncertainFinding(output: OutputLevel, samples: number): Finding {
  const { name, sqnrDb, spreadDb } = output
  const how =
    spreadDb === null
      ? 'one sample says nothing of others'
      : `${samples} samples leave ${spreadDb.toFixed(1)} dB to either side open`
  return {
    code: 'level-uncertain',
    // A level that is high all the same is no reason to act.
    severity: mayBeNoisy(output) ? 'warning' : 'info',
    message: `output "${name}" reaches ${sqnrDb.toFixed(1)} dB here, and ${how}: give more calibration samples, of all kinds that occur`,
    where: name,
  }
}

function missed(level: Level, dead: readonly SliceLevel[], asked: number | undefined): Finding[] {
  if (asked === undefined) return []
  const low = level.outputs.filter(({ sqnrDb }) => sqnrDb < asked)
  const reasons = [
    ...low.map(({ name, sqnrDb }) => `"${name}" reaches ${sqnrDb.toFixed(1)} dB`),
    ...dead.map(({ name }) => `${name} died`),
  ]
  if (reasons.length === 0) return []
  return [
    {
      code: 'level-missed',
      severity: 'error',
      message: `no file was written: ${reasons.join(', ')}, and ${asked} dB were asked for`,
    },
  ]
}
