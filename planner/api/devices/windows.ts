import { printWindow, requireZone } from '../../../shared/windows/index.ts'
import type { ConductorContext } from '../../conductor/index.ts'
import { matches, printSelector, requireMatches } from '../../groups/index.ts'
import { audit, subjectsInService, windows } from '../../storage/index.ts'
import type { Call } from '../call/call.ts'
import type { OperationInput, OperationOutput } from '../contract/contract.ts'
import { ApiError } from '../contract/errors.ts'
import type { WindowView } from '../contract/views.ts'

/** @throws UsageError for no zone, SelectorError for nobody */
export async function setWindow(
  { name, where, window }: OperationInput<'windows.set'>,
  { context, conductor, actor }: Call,
): Promise<OperationOutput<'windows.set'>> {
  const { db } = context
  if (window.zone !== null) requireZone(window.zone)
  requireMatches(where, await subjectsInService(db))
  await db.transaction().execute(async (trx) => {
    await windows.putWindow(trx, { name, where, window, by: actor }, context.now())
    const detail = { where: printSelector(where), hours: printWindow(window) }
    const entry = { actor, action: 'windows.set', subject: name, detail }
    await audit.writeAudit(trx, entry, context.now())
  })
  conductor.poke()
  const view = (await windowViews(context)).find((one) => one.name === name)
  if (!view) throw new Error('a window that was just set')
  return view
}

export async function windowViews({ db }: Pick<ConductorContext, 'db'>): Promise<WindowView[]> {
  const subjects = await subjectsInService(db)
  const zones = await windows.zones(db)
  return (await windows.listWindows(db)).map(({ name, where, window, by }) => {
    const meant = subjects.filter((subject) => matches(where, subject))
    return {
      name,
      where: printSelector(where),
      hours: printWindow(window),
      by,
      devices: meant.length,
      keptThere: meant.filter(({ device }) => zones.has(device)).length,
    }
  })
}

/** @throws ApiError `nothing-to-do` naming those there are */
export async function removeWindow(
  { name }: OperationInput<'windows.remove'>,
  { context, conductor, actor }: Call,
): Promise<OperationOutput<'windows.remove'>> {
  const { db } = context
  if (!(await windows.removeWindow(db, name))) {
    const there = (await windows.listWindows(db)).map((one) => one.name).join(', ')
    throw new ApiError('nothing-to-do', `no window "${name}"; there are: ${there || 'none'}`)
  }
  const entry = { actor, action: 'windows.remove', subject: name, detail: {} }
  await audit.writeAudit(db, entry, context.now())
  conductor.poke()
  return { name }
}
