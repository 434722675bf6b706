import { ACCESS, type Action, type AnyChannel, everyonesFilter } from './access.ts'
import { DEFAULT_LIMITS } from './limits.ts'

export interface MosquittoOptions {
  /** Who shows a certificate connects here. */
  readonly port: number
  /** Who has none yet asks for one here. */
  readonly joinPort: number
}

/** Names of the files of a folder that Mosquitto is pointed at. */
export const MOSQUITTO_FILES = {
  settings: 'mosquitto.conf',
  access: 'access.acl',
  joinAccess: 'join.acl',
  authority: 'authority.pem',
  certificate: 'server.pem',
  key: 'server.key.pem',
  revoked: 'revoked.crl.pem',
  /** Written by Mosquitto itself: who is told to read certificates and revocations again. */
  process: 'mosquitto.pid',
} as const

const WORDS: Readonly<Record<Action, string>> = { publish: 'write', subscribe: 'read' }

const HEADER = '# Written by fitment broker export-mosquitto: what is not allowed here is denied.'

/**
 * The access table as Mosquitto reads it, where a certificate was shown. Its common name is the user: a
 * device's is its name, the planner's holds a colon, which no device's can.
 */
export function mosquittoAcl(fleet: string): string {
  const lines = [
    HEADER,
    `user planner:${fleet}`,
    ...rules('topic', 'planner', fleet, '+'),
    '',
    '# Every device its own topics.',
    ...rules('pattern', 'device', fleet, '%u'),
  ]
  return `${lines.join('\n')}\n`
}

/**
 * The same where none was shown: no user at all, since there anybody calls himself what he likes; each asks and
 * hears under its own client id.
 */
export function mosquittoJoinAcl(fleet: string): string {
  return `${[HEADER, ...rules('pattern', 'bootstrap', fleet, '%c')].join('\n')}\n`
}

function rules(
  word: 'topic' | 'pattern',
  role: keyof typeof ACCESS,
  fleet: string,
  who: string,
): string[] {
  return Object.entries(ACCESS[role]).flatMap(([channel, actions]) =>
    actions.map(
      (action) => `${word} ${WORDS[action]} ${filterOf(fleet, channel as AnyChannel, who)}`,
    ),
  )
}

function filterOf(fleet: string, channel: AnyChannel, who: string): string {
  return everyonesFilter(fleet, channel).replace('+', who)
}

/** Settings for Mosquitto 2; every path is relative to the folder it is started in. */
export function mosquittoSettings({ port, joinPort }: MosquittoOptions): string {
  const tls = [
    `cafile ${MOSQUITTO_FILES.authority}`,
    `certfile ${MOSQUITTO_FILES.certificate}`,
    `keyfile ${MOSQUITTO_FILES.key}`,
    'tls_version tlsv1.2',
  ]
  const lines = [
    '# Written by fitment broker export-mosquitto. Start it in this folder: mosquitto -c mosquitto.conf',
    'per_listener_settings true',
    'persistence false',
    'retain_available false',
    'set_tcp_nodelay true',
    `max_packet_size ${DEFAULT_LIMITS.frameBytes}`,
    `pid_file ${MOSQUITTO_FILES.process}`,
    '',
    '# Devices and planner: a certificate says who they are.',
    `listener ${port}`,
    ...tls,
    'allow_anonymous false',
    `acl_file ${MOSQUITTO_FILES.access}`,
    'require_certificate true',
    `crlfile ${MOSQUITTO_FILES.revoked}`,
    'use_identity_as_username true',
    '',
    '# Who has no certificate yet: may ask for one, and nothing else, whatever it calls itself.',
    `listener ${joinPort}`,
    ...tls,
    'allow_anonymous true',
    `acl_file ${MOSQUITTO_FILES.joinAccess}`,
    'max_connections 32',
  ]
  return `${lines.join('\n')}\n`
}
