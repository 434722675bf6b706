import { ago, moment } from '../../figures/wording.ts'
import { useAnswer } from '../answers.ts'
import { pathOf } from '../api.ts'
import { Labels } from '../fleet/labels.tsx'
import type { PageProps } from '../page-props.ts'
import { Mark } from '../parts/mark.tsx'
import { Answer } from '../parts/notice.tsx'
import { Title } from '../parts/title.tsx'
import { Link } from '../router.tsx'
import { useMay } from '../session.ts'
import type { DeviceDetail } from '../types.ts'
import { DeviceActions } from './device-actions.tsx'
import { DeviceHealth } from './device-health.tsx'
import { DeviceLog } from './device-log.tsx'
import { DeviceProbes } from './device-probes.tsx'
import { Hardware } from './hardware.tsx'
import { Runtimes } from './runtimes.tsx'
import { Slots } from './slots.tsx'

export function DevicePage({ named: { device = '' } }: PageProps) {
  const asked = useAnswer<DeviceDetail>(pathOf('devices', device), {
    on: ['devices'],
    about: (item) => item.device === device,
  })
  const may = useMay()
  return (
    <>
      <Title
        text={device}
        crumb={<Link to="fleet">Fleet</Link>}
        beside={asked.value && <Standing device={asked.value} />}
        actions={
          asked.value && may('operator') ? (
            <DeviceActions device={asked.value} again={asked.again} />
          ) : undefined
        }
      />
      <Answer of={asked} what="the device">
        {(value) => (
          <>
            <Hardware device={value} />
            <Slots device={value} />
            <Runtimes device={value} />
            <DeviceHealth device={value} />
            <DeviceProbes device={value.id} />
            {may('admin') && <DeviceLog device={value.id} />}
          </>
        )}
      </Answer>
    </>
  )
}

function Standing({ device }: { readonly device: DeviceDetail }) {
  const { online, lastSeen, retired, revoked, labels, doubleSeen } = device
  return (
    <>
      <Mark state={online ? 'online' : 'offline'} />
      {!online && <span class="faint">seen {ago(lastSeen, Date.now())} ago</span>}
      {revoked && <Mark state="shut out" words="its certificates were revoked" />}
      {retired && (
        <Mark
          state="retired"
          words={`retired ${moment(retired.at)} by ${retired.by}: ${retired.reason}`}
        />
      )}
      {doubleSeen !== null && (
        <Mark state="warning" words={`two machines use this identity (${moment(doubleSeen)})`} />
      )}
      <Labels labels={labels} />
    </>
  )
}
