import { formatMs, formatRatio } from '../../../../shared/units.ts'
import { useAnswer } from '../answers.ts'
import { pathOf } from '../api.ts'
import { AlarmTable } from '../health/alarm-table.tsx'
import { HealthCharts } from '../health/health-charts.tsx'
import { Answer, Empty, Fact, known } from '../parts/notice.tsx'
import type { AlarmList, DeviceDetail, HealthView } from '../types.ts'

/** How each model that it runs does here. */
export function DeviceHealth({ device }: { readonly device: DeviceDetail }) {
  const models = [...new Set(device.installed.filter((s) => s.active).map(({ model }) => model))]
  return (
    <section aria-labelledby="device-health">
      <h2 id="device-health">Health</h2>
      {models.length === 0 && <Empty>It runs no model whose health could be told.</Empty>}
      {models.map((model) => (
        <ModelHealth key={model} device={device.id} model={model} />
      ))}
      <Alarms device={device.id} />
    </section>
  )
}

function Alarms({ device }: { readonly device: string }) {
  const query = { device, all: true, limit: 50 }
  const asked = useAnswer<AlarmList>('/alarms', {
    query,
    on: ['alarms'],
    about: (item) => item.device === device,
  })
  const items = asked.value?.items ?? []
  return items.length === 0 ? null : <AlarmTable alarms={items} />
}

interface ModelHealthProps {
  readonly device: string
  readonly model: string
}

function ModelHealth({ device, model }: ModelHealthProps) {
  const asked = useAnswer<HealthView>(pathOf('models', model, 'health'), {
    query: { device, days: 35 },
    on: ['alarms'],
    about: (item) => item.device === device && item.model === model,
  })
  return (
    <Answer of={asked} what={`health of ${model}`}>
      {(health) =>
        health.devices.length === 0 ? (
          <Empty>
            <p>
              No application on this device observes {model} yet: its health is not known. See{' '}
              <code>docs/health.md</code> for the client.
            </p>
          </Empty>
        ) : (
          <>
            <Now health={health} />
            <HealthCharts health={health} />
          </>
        )
      }
    </Answer>
  )
}

function Now({ health }: { readonly health: HealthView }) {
  const [now] = health.devices
  if (!now) return null
  return (
    <dl class="facts">
      <Fact term="Drift" large>
        {known(now.drift, (drift) => drift.toFixed(3))}
        <small>{now.worst[0] ? `most in ${now.worst[0].name}` : 'of its reference'}</small>
      </Fact>
      <Fact term="Latency P95" large>
        {known(now.p95Ms, formatMs)}
        <small>
          {now.p95Ratio === null
            ? 'nothing to compare with'
            : `${formatRatio(now.p95Ratio)} its probe`}
        </small>
      </Fact>
      <Fact term="Inferences in the last window" large>
        {now.inferences}
        <small>{now.restarts} restarts</small>
      </Fact>
      <Fact term="Temperature" large>
        {known(now.hottestCelsius, (celsius) => `${celsius.toFixed(0)} °C`)}
        <small>{now.throttled ? 'throttled' : 'not throttled'}</small>
      </Fact>
    </dl>
  )
}
