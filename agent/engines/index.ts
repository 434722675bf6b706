export { choiceOf, type Engine, nameOf } from './engine.ts'
export { engineChoiceSchema } from './engine-schema.ts'
export { type EngineName, Engines } from './engines.ts'
export type { DelegatePlace, EngineSettings, LibraryPlace } from './find-engines.ts'
