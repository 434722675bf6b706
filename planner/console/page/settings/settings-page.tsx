import { useContext, useState } from 'preact/hooks'
import { moment } from '../../figures/wording.ts'
import { useAnswer } from '../answers.ts'
import { ask } from '../api.ts'
import { Choice, Field } from '../parts/fields.tsx'
import { Answer, Fact } from '../parts/notice.tsx'
import { Title } from '../parts/title.tsx'
import { SessionContext, useMay } from '../session.ts'
import { chooseTheme, storedTheme, THEMES, type Theme } from '../theme.ts'
import type { PlannerInfo } from '../types.ts'
import { Operators } from './operators.tsx'
import { RuntimePackages } from './runtime-packages.tsx'
import { Webhooks } from './webhooks.tsx'
import { Windows } from './windows.tsx'

export function SettingsPage() {
  const may = useMay()
  return (
    <>
      <Title text="Settings" />
      <Planner />
      <Appearance />
      <SessionSection />
      {may('admin') && <Operators />}
      <Windows />
      <RuntimePackages />
      {may('admin') && <Webhooks />}
    </>
  )
}

function Planner() {
  const asked = useAnswer<PlannerInfo>('/planner')
  return (
    <section aria-labelledby="planner">
      <h2 id="planner">Planner</h2>
      <Answer of={asked} what="the planner">
        {({ version, fleet, broker, database, trust, clock }) => (
          <>
            {clock !== undefined && (
              <div class="note warn">
                <p>{clock}</p>
              </div>
            )}
            <dl class="facts">
              <Fact term="Version">{version}</Fact>
              <Fact term="Fleet">{fleet}</Fact>
              <Fact term="Broker">{broker}</Fact>
              <Fact term="Database">{database}</Fact>
              <Fact term="Anchor of trust">
                <code>{trust}</code>
              </Fact>
              <Fact term="Interface">
                <a href="/api/v1/docs">API</a>, <a href="/api/v1/openapi.json">OpenAPI</a>
              </Fact>
            </dl>
          </>
        )}
      </Answer>
    </section>
  )
}

/** On a narrow page the only place to sign out. */
function SessionSection() {
  const session = useContext(SessionContext)
  if (!session) return null
  return (
    <section aria-labelledby="session">
      <h2 id="session">Session</h2>
      <p>
        {session.name}, {session.role}
        {session.expiresAt !== null && ` · until ${moment(session.expiresAt)} UTC`}
      </p>
      <div class="actions">
        <button
          type="button"
          onClick={() =>
            void ask('/session', { method: 'DELETE' }).finally(() => location.assign('/'))
          }
        >
          Sign out
        </button>
      </div>
    </section>
  )
}

const WORDS: Readonly<Record<Theme, string>> = {
  system: 'as the system has it',
  light: 'light',
  dark: 'dark',
}

function Appearance() {
  const [theme, setTheme] = useState(storedTheme)
  return (
    <section aria-labelledby="appearance">
      <h2 id="appearance">Appearance</h2>
      <div class="filters">
        <Field label="Light or dark, in this browser">
          <Choice
            value={theme}
            options={THEMES.map((name) => [name, WORDS[name]] as const)}
            onChoice={(name) => {
              const chosen = THEMES.find((one) => one === name) ?? 'system'
              chooseTheme(chosen)
              setTheme(chosen)
            }}
          />
        </Field>
      </div>
    </section>
  )
}
