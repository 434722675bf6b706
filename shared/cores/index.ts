export { type CoreGroup, coreGroups } from './core-groups.ts'
export { keptOn, settingsToTry } from './settings.ts'
