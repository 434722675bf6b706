import { type Naming, shellWord } from './started-as.ts'

/** Commands of `fitment` that are, or ask, the planner of a data directory, and so take `--data DIR`. */
export const PLANNER_COMMANDS = [
  'serve',
  'broker',
  'broker export-mosquitto',
  'broker export-rabbitmq',
  'planner',
  'open',
  'mcp',
  'builder',
  'devices',
  'devices invite',
  'devices revoke',
  'devices label',
  'devices retire',
  'devices remove',
  'invites list',
  'invites revoke',
  'classes',
  'models add',
  'models list',
  'models show',
  'models history',
  'models annotate',
  'models prune',
  'models remove',
  'runtimes add',
  'runtimes list',
  'runtimes remove',
  'variants',
  'probes',
  'plan',
  'rollout start',
  'rollout status',
  'rollout pause',
  'rollout resume',
  'rollout abort',
  'rollout approve',
  'rollback',
  'health',
  'alarms',
  'samples list',
  'samples pull',
  'windows set',
  'windows list',
  'windows remove',
  'keys list',
  'keys anchor',
  'keys pending',
  'keys submit',
  'keys drop',
  'keys export',
  'keys rotate',
  'backup',
  'restore',
  'doctor',
  'audit',
  'operators add',
  'operators list',
  'operators revoke',
  'webhooks list',
  'webhooks add',
  'webhooks remove',
  'webhooks dead',
  'webhooks retry',
  'bridge hawkbit',
] as const

/** Those that need no planner. */
export const OTHER_COMMANDS = [
  'demo',
  'inspect',
  'quantize',
  'convert',
  'compile',
  'evaluate',
  'compare',
  'bench',
  'keys sign',
  'keys make',
  'help',
  'completion',
] as const

export const AGENT_COMMANDS = [
  'run',
  'join',
  'renew',
  'status',
  'metrics',
  'samples',
  'doctor',
] as const

const DATA: ReadonlySet<string> = new Set(PLANNER_COMMANDS)

/** An operator's token, a command of `fitment` or of `fitment-agent`, and what follows in the line. */
const MENTION = new RegExp(
  [
    '(?<![\\w./-])(?<token>FITMENT_TOKEN=\\S+ )?',
    `(?:fitment (?<command>${anyOf([...PLANNER_COMMANDS, ...OTHER_COMMANDS])})`,
    `|fitment-agent (?<agent>${anyOf(AGENT_COMMANDS)}))`,
    '(?![\\w-])(?=(?<rest>[^\\n]*))',
  ].join(''),
  'g',
)

/** The longest first: `keys pending` before `keys`. */
function anyOf(commands: readonly string[]): string {
  return [...commands].sort((a, b) => b.length - a.length).join('|')
}

type Mention = Readonly<Partial<Record<'token' | 'command' | 'agent' | 'rest', string>>>

export interface Printing {
  readonly naming: Naming
  /** The data directory this command line was given; `undefined` where it was given none. */
  readonly data?: string | undefined
}

/**
 * Messages name commands as `fitment keys list`, whoever writes them and wherever: this makes of each what works
 * where it is read, i.e. starts the program as it was started, and for the same planner.
 */
export function printedCommands(text: string, { naming, data }: Printing): string {
  return text.replace(MENTION, (...match) => {
    const { token = '', command, agent, rest = '' } = match.at(-1) as Mention
    if (command === undefined) return `${token}${naming('fitment-agent')} ${agent}`
    // Who brings a token asks the planner that the token names.
    const isSaid = token !== '' || / --(data|help)\b/.test(rest)
    const where =
      data !== undefined && !isSaid && DATA.has(command) ? ` --data ${shellWord(data)}` : ''
    return `${token}${naming('fitment')} ${command}${where}`
  })
}
