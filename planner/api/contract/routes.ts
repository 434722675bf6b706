import type { OperationName } from './contract.ts'

export const API = '/api/v1'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Where an operation lives in HTTP. */
export interface Route {
  readonly method: Method
  /** Under `/api/v1`; `{name}` is the field of the input that stands there. */
  readonly path: string
  /** What it does, for people. */
  readonly summary: string
  /** Of success; 200 where absent. */
  readonly status?: 201
  /** Takes its time: who accepts NDJSON is told what it does meanwhile. */
  readonly isLong?: true
  /** Its answer holds a secret that is shown once, and so is not kept for who asks again. */
  readonly isSecret?: true
}

/**
 * Every operation as a resource. Fields of its input that are not in the path are query parameters of GET and DELETE,
 * and the JSON body of the others.
 */
// biome-ignore format: a table is read by its columns
export const ROUTES: { readonly [K in OperationName]: Route } = {
  'planner.info':       { method: 'GET',    path: '/planner', summary: 'Which planner this is' },
  'devices.list':       { method: 'GET',    path: '/devices', summary: 'Devices in service, by name' },
  'devices.label':      { method: 'PATCH',  path: '/devices', summary: 'Sets and takes away labels of many devices' },
  'devices.show':       { method: 'GET',    path: '/devices/{device}', summary: 'All that is known of a device' },
  'devices.remove':     { method: 'DELETE', path: '/devices/{device}', summary: 'Takes a device out for good' },
  'devices.retire':     { method: 'POST',   path: '/devices/{device}/retire', summary: 'Takes a device out of service, or back' },
  'devices.revoke':     { method: 'POST',   path: '/devices/{device}/revoke', summary: 'Takes a device its certificates' },
  'devices.invite':     { method: 'POST',   path: '/invitations', summary: 'A token by which a device joins', status: 201, isSecret: true },
  'devices.inviteMany': { method: 'POST',   path: '/invitation-batches', summary: 'A token for each of many devices', status: 201, isSecret: true },
  'invites.list':       { method: 'GET',    path: '/invitations', summary: 'Tokens by which devices may still join' },
  'invites.revoke':     { method: 'DELETE', path: '/invitations/{invite}', summary: 'Takes a token back before its time' },
  'windows.list':       { method: 'GET',    path: '/windows', summary: 'Hours in which devices may switch' },
  'windows.set':        { method: 'PUT',    path: '/windows/{name}', summary: 'Sets hours for some devices' },
  'windows.remove':     { method: 'DELETE', path: '/windows/{name}', summary: 'Takes hours away' },
  'classes.list':       { method: 'GET',    path: '/classes', summary: 'Classes that devices belong to' },
  'classes.show':       { method: 'GET',    path: '/classes/{class}', summary: 'A class, and why its members are of it' },
  'models.list':        { method: 'GET',    path: '/models', summary: 'Models, each in its newest revision' },
  'models.add':         { method: 'POST',   path: '/models', summary: 'Registers a revision of a model', status: 201, isLong: true },
  'models.show':        { method: 'GET',    path: '/models/{model}', summary: 'A revision, and what is built of it for each class' },
  'models.annotate':    { method: 'PATCH',  path: '/models/{model}', summary: 'Notes and tags of a revision' },
  'models.remove':      { method: 'DELETE', path: '/models/{model}', summary: 'Removes a model with all its revisions' },
  'models.history':     { method: 'GET',    path: '/models/{model}/revisions', summary: 'Revisions of a model' },
  'models.prune':       { method: 'POST',   path: '/models/{model}/prune', summary: 'Frees files of old revisions' },
  plan:                 { method: 'POST',   path: '/models/{model}/plan', summary: 'Builds, measures and selects for each class', isLong: true },
  'plan.explain':       { method: 'GET',    path: '/models/{model}/explanation', summary: 'Why a device gets the variant it gets' },
  health:               { method: 'GET',    path: '/models/{model}/health', summary: 'How a model does on devices' },
  'samples.list':       { method: 'GET',    path: '/samples', summary: 'How many samples devices captured' },
  'samples.read':       { method: 'GET',    path: '/models/{model}/samples', summary: 'Captured inputs and outputs, oldest or newest first' },
  'rollout.status':     { method: 'GET',    path: '/models/{model}/rollout', summary: 'Rollouts of a model with all their members' },
  'rollout.start':      { method: 'POST',   path: '/models/{model}/rollout', summary: 'Rolls a revision out', status: 201, isLong: true },
  'rollout.pause':      { method: 'POST',   path: '/models/{model}/rollout/pause', summary: 'No further device is given it' },
  'rollout.resume':     { method: 'POST',   path: '/models/{model}/rollout/resume', summary: 'Goes on' },
  'rollout.abort':      { method: 'POST',   path: '/models/{model}/rollout/abort', summary: 'Ends it' },
  'rollout.approve':    { method: 'POST',   path: '/models/{model}/rollout/approve', summary: 'Lets the next wave begin' },
  rollback:             { method: 'POST',   path: '/models/{model}/rollback', summary: 'Back to an earlier revision', isLong: true },
  'rollouts.list':      { method: 'GET',    path: '/rollouts', summary: 'Rollouts, newest first' },
  'rollouts.show':      { method: 'GET',    path: '/rollouts/{rollout}', summary: 'A rollout by its numbers, and why devices failed' },
  'rollouts.members':   { method: 'GET',    path: '/rollouts/{rollout}/devices', summary: 'Devices of a rollout, by name' },
  'shipments.make':     { method: 'POST',   path: '/shipments', summary: 'Signs what another updater may bring to each class' },
  'alarms.list':        { method: 'GET',    path: '/alarms', summary: 'Alarms that are raised, newest first' },
  'variants.list':      { method: 'GET',    path: '/variants', summary: 'Candidates of each class' },
  'probes.list':        { method: 'GET',    path: '/probes', summary: 'Measurements on devices' },
  'runtimes.list':      { method: 'GET',    path: '/runtimes', summary: 'Packages of runtimes' },
  'runtimes.add':       { method: 'POST',   path: '/runtimes', summary: 'Adds a package of a runtime', status: 201 },
  'runtimes.remove':    { method: 'DELETE', path: '/runtimes/{package}', summary: 'Removes a package' },
  'broker.credentials': { method: 'POST',   path: '/broker/credentials', summary: 'Certificate for a broker elsewhere', isSecret: true },
  'keys.list':          { method: 'GET',    path: '/keys', summary: 'Signing keys, and what each signs' },
  'keys.forget':        { method: 'DELETE', path: '/keys/named/{name}', summary: 'Forgets a key that signs nothing' },
  'keys.rotate':        { method: 'POST',   path: '/keys/rotation', summary: 'Changes who signs' },
  'keys.submit':        { method: 'POST',   path: '/keys/signatures', summary: 'Signatures that were made elsewhere' },
  'keys.pending':       { method: 'GET',    path: '/keys/batches', summary: 'Metadata that waits for signatures' },
  'keys.batch':         { method: 'GET',    path: '/keys/batches/{batch}', summary: 'What is to be signed' },
  'keys.drop':          { method: 'DELETE', path: '/keys/batches/{batch}', summary: 'Drops what waits' },
  'operators.list':     { method: 'GET',    path: '/operators', summary: 'Who may ask from elsewhere' },
  'operators.add':      { method: 'POST',   path: '/operators', summary: 'A token for an operator', status: 201, isSecret: true },
  'operators.revoke':   { method: 'DELETE', path: '/operators/{name}', summary: 'Takes an operator all tokens' },
  'webhooks.list':      { method: 'GET',    path: '/webhooks', summary: 'Who is told of events' },
  'webhooks.add':       { method: 'POST',   path: '/webhooks', summary: 'Tells a receiver of events', status: 201, isSecret: true },
  'webhooks.remove':    { method: 'DELETE', path: '/webhooks/{name}', summary: 'Tells it no more' },
  'webhooks.dead':      { method: 'GET',    path: '/deliveries/dead', summary: 'Deliveries that were given up' },
  'webhooks.retry':     { method: 'POST',   path: '/deliveries/{delivery}/retry', summary: 'Tries one again' },
  'audit.list':         { method: 'GET',    path: '/audit', summary: 'Who did what, newest first' },
}

/** Those that are no operation: they take or give bytes, sessions or a stream. */
export const OTHER_PATHS = {
  artifacts: `${API}/artifacts`,
  artifact: `${API}/artifacts/{digest}`,
  session: `${API}/session`,
  events: `${API}/events`,
  openapi: `${API}/openapi.json`,
  docs: `${API}/docs`,
  metrics: '/metrics',
} as const
