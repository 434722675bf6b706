import { ACCESS, type Action, type AnyChannel, everyonesFilter } from './access.ts'
import { DEFAULT_LIMITS } from './limits.ts'

export interface RabbitmqOptions {
  /** Where devices and planners connect, with a certificate or, to ask for one, without. */
  readonly port: number
}

/** Names of the files of a folder that RabbitMQ is pointed at. */
export const RABBITMQ_FILES = {
  settings: 'rabbitmq.conf',
  plugins: 'enabled_plugins',
  /** What `rabbitmq.conf` has no words for. */
  advanced: 'advanced.config',
  /** Users and what they may do. */
  definitions: 'definitions.json',
  authority: 'authority.pem',
  certificate: 'server.pem',
  key: 'server.key.pem',
} as const

/** Who shows no certificate is this user; its password is no secret, and opens nothing but asking for one. */
const JOINER = 'fitment-joiner'
const VHOST = '/'
const EXCHANGE = 'amq.topic'

export const RABBITMQ_PLUGINS = '[rabbitmq_mqtt].\n'
/** Else what stands before the colon of `planner:<fleet>` would be a virtual host. */
export const RABBITMQ_ADVANCED = '[{rabbitmq_mqtt, [{ignore_colons_in_username, true}]}].\n'

/**
 * Settings for RabbitMQ 3.10 and later with its MQTT plugin. The common name of a certificate is the user, as for Mosquitto;
 * who has none comes in as one user for all, since the plugin has one listener's rules for both.
 * @param dir folder of the files, absolute: RabbitMQ starts elsewhere
 */
export function rabbitmqSettings(dir: string, { port }: RabbitmqOptions): string {
  const file = (name: keyof typeof RABBITMQ_FILES) => `${dir}/${RABBITMQ_FILES[name]}`
  const lines = [
    '# Written by fitment broker export-rabbitmq; for RabbitMQ 3.10 and later with rabbitmq_mqtt.',
    'listeners.tcp.local = 127.0.0.1:5672',
    'mqtt.listeners.tcp = none',
    `mqtt.listeners.ssl.default = ${port}`,
    `ssl_options.cacertfile = ${file('authority')}`,
    `ssl_options.certfile = ${file('certificate')}`,
    `ssl_options.keyfile = ${file('key')}`,
    'ssl_options.versions.1 = tlsv1.3',
    'ssl_options.versions.2 = tlsv1.2',
    'ssl_options.verify = verify_peer',
    '# Without a certificate one may ask for one, and nothing else.',
    'ssl_options.fail_if_no_peer_cert = false',
    'ssl_cert_login_from = common_name',
    'mqtt.ssl_cert_login = true',
    'mqtt.allow_anonymous = true',
    `mqtt.default_user = ${JOINER}`,
    `mqtt.default_pass = ${JOINER}`,
    `mqtt.vhost = ${VHOST}`,
    `mqtt.exchange = ${EXCHANGE}`,
    '# What must not be lost both ends keep: queues end with their connection.',
    'mqtt.subscription_ttl = 1000',
    'mqtt.prefetch = 100',
    'mqtt.tcp_listen_options.nodelay = true',
    `max_message_size = ${DEFAULT_LIMITS.frameBytes}`,
    `load_definitions = ${file('definitions')}`,
  ]
  return `${lines.join('\n')}\n`
}

interface Permission {
  readonly user: string
  readonly vhost: string
}

interface TopicPermission extends Permission {
  readonly exchange: string
  readonly write: string
  readonly read: string
}

const NOTHING = '^$'
/** As RabbitMQ would put `{username}` and `{client_id}` into a pattern unescaped, names are written out, or anyone's. */
const ANYONE = '+'

/**
 * The access table as RabbitMQ reads it: users without a password, who come in by certificate, and patterns of routing keys.
 * Who joins hears every answer: they hold certificates, and no key.
 * @param devices every device that has a certificate or may get one, and can use it
 */
export function rabbitmqDefinitions(fleet: string, devices: readonly string[]): string {
  const planner = `planner:${fleet}`
  const users = [planner, ...devices].map((name) => ({
    ...{ name, tags: '', limits: {} },
    // Of no password: nobody logs in with one.
    ...{ password_hash: '', hashing_algorithm: 'rabbit_password_hashing_sha256' },
  }))
  const joiner = { name: JOINER, tags: '', limits: {}, password: JOINER }
  const all = [planner, ...devices, JOINER]
  const definitions = {
    rabbit_version: '3.10.8',
    vhosts: [{ name: VHOST }],
    users: [...users, joiner],
    permissions: all.map((user) => ({
      ...{ user, vhost: VHOST },
      // Queues of their own, that the plugin makes of subscriptions, and the one exchange.
      configure: '^mqtt-subscription-.*$',
      write: '^(mqtt-subscription-.*|amq[.]topic)$',
      read: '^(mqtt-subscription-.*|amq[.]topic)$',
    })),
    topic_permissions: [
      topics(planner, 'planner', fleet, ANYONE),
      ...devices.map((device) => topics(device, 'device', fleet, device)),
      topics(JOINER, 'bootstrap', fleet, ANYONE),
    ],
  }
  return `${JSON.stringify(definitions, null, 1)}\n`
}

function topics(
  user: string,
  role: keyof typeof ACCESS,
  fleet: string,
  who: string,
): TopicPermission {
  const allowed = (action: Action) => {
    const keys = Object.entries(ACCESS[role])
      .filter(([, actions]) => actions.includes(action))
      .map(([channel]) => patternOf(fleet, channel as AnyChannel, who))
    return keys.length === 0 ? NOTHING : `^(${keys.join('|')})$`
  }
  return {
    ...{ user, vhost: VHOST, exchange: EXCHANGE },
    write: allowed('publish'),
    read: allowed('subscribe'),
  }
}

/** RabbitMQ parts levels by dots: a name with one would be two levels, which no subscription of a fleet's devices covers. */
export function canUseRabbitmq(device: string): boolean {
  return !device.includes('.')
}

/** MQTT's levels are parted by dots in AMQP, and its `+` is `*` (rabbitmq.com/mqtt.html). */
function patternOf(fleet: string, channel: AnyChannel, who: string): string {
  // A subscription of all is `*` itself.
  const name = who === ANYONE ? '([^.]+|[*])' : who
  return everyonesFilter(fleet, channel)
    .split('/')
    .map((level) => (level === '+' ? name : level.replaceAll('.', '[.]')))
    .join('[.]')
}
