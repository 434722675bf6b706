import type { FunctionComponent } from 'preact'
import type { PlaceName } from '../figures/place.ts'
import { AuditPage } from './audit/audit-page.tsx'
import { DevicePage } from './device/device-page.tsx'
import { FleetPage } from './fleet/fleet-page.tsx'
import { HealthPage } from './health/health-page.tsx'
import { KeysPage } from './keys/keys-page.tsx'
import { AddModelPage } from './model/add-model-page.tsx'
import { ComparePage } from './model/compare-page.tsx'
import { ModelPage } from './model/model-page.tsx'
import { ModelsPage } from './model/models-page.tsx'
import type { PageProps } from './page-props.ts'
import { Title } from './parts/title.tsx'
import { NewRolloutPage } from './rollout/new-rollout-page.tsx'
import { RolloutPage } from './rollout/rollout-page.tsx'
import { RolloutsPage } from './rollout/rollouts-page.tsx'
import { Link } from './router.tsx'
import { SettingsPage } from './settings/settings-page.tsx'

export const PAGES: Readonly<Record<PlaceName, FunctionComponent<PageProps>>> = {
  fleet: FleetPage,
  device: DevicePage,
  models: ModelsPage,
  newModel: AddModelPage,
  model: ModelPage,
  compare: ComparePage,
  newRollout: NewRolloutPage,
  rollouts: RolloutsPage,
  rollout: RolloutPage,
  health: HealthPage,
  audit: AuditPage,
  keys: KeysPage,
  settings: SettingsPage,
}

export function Nowhere() {
  return (
    <>
      <Title text="No such page" />
      <p>
        The link leads nowhere in this console. <Link to="fleet">Go to the fleet</Link>
      </p>
    </>
  )
}
