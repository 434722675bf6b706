import t from 'tap'
import { commandsFor } from '../../planner/cli/commands.ts'
import { OTHER_COMMANDS, PLANNER_COMMANDS, printedCommands } from '../../shared/printed-commands.ts'

const naming = (program: string) => `npx ${program}`

const rows: { text: string; data?: string; printed: string }[] = [
  { text: 'see fitment keys pending', printed: 'see npx fitment keys pending' },
  {
    text: 'see fitment keys pending for what waits now',
    data: './my fleet',
    printed: "see npx fitment keys pending --data './my fleet' for what waits now",
  },
  {
    text: 'start one with fitment serve --data ./fleet',
    data: './fleet',
    printed: 'start one with npx fitment serve --data ./fleet',
  },
  { text: '(see fitment plan --help)', data: 'd', printed: '(see npx fitment plan --help)' },
  { text: 'fitment inspect m.onnx', data: 'd', printed: 'npx fitment inspect m.onnx' },
  {
    text: 'FITMENT_TOKEN=TOKEN fitment devices',
    data: 'd',
    printed: 'FITMENT_TOKEN=TOKEN npx fitment devices',
  },
  {
    text: 'fitment-agent join T --state-dir s && fitment-agent run --state-dir s',
    data: 'd',
    printed: 'npx fitment-agent join T --state-dir s && npx fitment-agent run --state-dir s',
  },
  {
    text: 'fitment devices\nfitment classes --data e',
    data: 'd',
    printed: 'npx fitment devices --data d\nnpx fitment classes --data e',
  },
  {
    text: 'are fitment and planner of one version?',
    printed: 'are fitment and planner of one version?',
  },
  { text: '/etc/fitment plan', printed: '/etc/fitment plan' },
]

for (const { text, data, printed } of rows) {
  t.test(JSON.stringify(text), async (t) => {
    t.equal(printedCommands(text, { naming, data }), printed)
  })
}

t.test(
  'every command is known, and whether it takes the data directory of a planner',
  async (t) => {
    const commands = await commandsFor([])
    const takesData = ({ options }: (typeof commands)[number]) =>
      options.some(({ flags }) => flags === '--data <dir>')
    const sorted = (paths: readonly string[]) => [...paths].sort()
    const paths = (wanted: boolean) =>
      sorted(commands.filter((one) => takesData(one) === wanted).map(({ path }) => path))
    t.strictSame(paths(true), sorted(PLANNER_COMMANDS))
    t.strictSame(paths(false), sorted(OTHER_COMMANDS))
    for (const { path, example } of commands) t.match(example, new RegExp(`^fitment ${path}\\b`))
  },
)
