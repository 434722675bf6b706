import type { Digest } from '../../../shared/digest.ts'
import type { ArtifactRef, ProbeOrder } from '../../../shared/messages/index.ts'
import { type Installable, isPackage } from '../../trust/index.ts'
import type { JournalView } from '../journal/journal.ts'
import { INSTALLING } from '../transitions/install-table.ts'
import { PROBING } from '../transitions/probe-table.ts'
import { isTerminal } from '../transitions/transitions.ts'

/** Everything that unfinished orders still need: half-done downloads of these are worth keeping. */
export function wantedArtifacts(journal: JournalView): Set<Digest> {
  const installing = journal
    .all('installation')
    .filter(({ step }) => !isTerminal(INSTALLING, step))
    .map(({ assignment }) => assignment)
  const queued = journal.all('queued').map(({ assignment }) => assignment)
  const probing = journal
    .all('probe')
    .filter(({ step }) => !isTerminal(PROBING, step))
    .map(({ order }) => order)
  return new Set([
    ...[...installing, ...queued].flatMap(artifactsOfAssignment),
    ...probing.flatMap(artifactsOfProbe),
  ])
}

export function artifactsOfAssignment(assignment: Installable): Digest[] {
  return [assignment.artifact, ...besides(assignment)].map(({ digest }) => digest)
}

/** What an installation needs beside the file itself. */
export function besides(assignment: Installable): ArtifactRef[] {
  if (isPackage(assignment)) return []
  const { selfTest, labels, sketch } = assignment
  return [selfTest, labels, sketch].filter((file) => file != null)
}

export function artifactsOfProbe({ artifact, data, baseline, others = [] }: ProbeOrder): Digest[] {
  const digests = [artifact, data, ...others.map((one) => one.artifact)].map((one) => one.digest)
  return baseline ? [...digests, baseline.artifact.digest] : digests
}
