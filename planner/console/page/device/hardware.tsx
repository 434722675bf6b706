import type { ComponentChildren } from 'preact'
import { formatBytes } from '../../../../shared/units.ts'
import { moment } from '../../figures/wording.ts'
import { Fact, Unknown } from '../parts/notice.tsx'
import { Link } from '../router.tsx'
import type { DeviceDetail } from '../types.ts'

/** What it says it is, and what shows it. */
export function Hardware({ device }: { readonly device: DeviceDetail }) {
  return (
    <section aria-labelledby="hardware">
      <header>
        <h2 id="hardware">Hardware</h2>
        {device.emulated && (
          <p class="faint">identity of a captured device tree; measured on the host it runs on</p>
        )}
      </header>
      <dl class="facts">
        <Identity device={device} />
        <Machine device={device} />
      </dl>
      <Evidence device={device} />
    </section>
  )
}

function Identity({ device }: { readonly device: DeviceDetail }) {
  const { report, firstSeen, agentVersion } = device
  return (
    <>
      <Fact term="Class" large>
        {device.class === null ? (
          <Unknown />
        ) : (
          <Link to="fleet" query={{ class: device.class }}>
            {device.class}
          </Link>
        )}
        <small>{device.board}</small>
      </Fact>
      <Fact term="Processor">
        {report.cpu.model}
        <Small>
          {report.cpu.cores} cores{report.cpu.maxMhz !== null && `, up to ${report.cpu.maxMhz} MHz`}
          , {report.architecture}
        </Small>
      </Fact>
      <Fact term="Operating system">
        {report.os.distribution ?? 'not said'}
        <Small>
          kernel {report.os.kernel}
          {report.os.libc !== null && `, ${report.os.libc}`}
        </Small>
      </Fact>
      <Fact term="Agent">
        {agentVersion}
        <Small>first seen {moment(firstSeen)} UTC</Small>
      </Fact>
    </>
  )
}

function Machine({ device }: { readonly device: DeviceDetail }) {
  const { report, memoryRoom, storageRoom } = device
  const hottest = Math.max(...report.thermalZones.map(({ celsius }) => celsius))
  return (
    <>
      <Fact term="Memory">
        {formatBytes(report.memory.totalBytes)}
        <Small>for models: {memoryRoom === null ? 'no limit' : formatBytes(memoryRoom)}</Small>
      </Fact>
      <Fact term="Storage">
        {formatBytes(report.storage.freeBytes)} free
        <Small>for models: {storageRoom === null ? 'no limit' : formatBytes(storageRoom)}</Small>
      </Fact>
      <Fact term="Temperature">
        {report.thermalZones.length === 0 ? (
          <Unknown />
        ) : (
          <>
            {hottest.toFixed(0)} °C
            <Small>hottest of {report.thermalZones.length} zones, at its birth</Small>
          </>
        )}
      </Fact>
      <Fact term="Power">
        {report.battery === null
          ? 'mains, as far as it says'
          : `battery at ${report.battery.percent} %, ${report.battery.charging ? 'charging' : 'not charging'}`}
      </Fact>
    </>
  )
}

function Small({ children }: { readonly children: ComponentChildren }) {
  return (
    <>
      <br />
      <span class="faint">{children}</span>
    </>
  )
}

function Evidence({ device }: { readonly device: DeviceDetail }) {
  const { reasons, report } = device
  return (
    <details>
      <summary>Evidence: why this class, which instructions, which accelerators</summary>
      <dl class="facts">
        <Fact term="Why this class">
          {reasons.length === 0 ? 'nothing of it is known to any profile' : reasons.join('; ')}
        </Fact>
        <Fact term={`Board, from ${report.board.source}`}>
          {report.board.model ?? <Unknown />}
          <Small>{report.board.compatible.join(', ')}</Small>
        </Fact>
        <Fact term="Instructions">
          {report.cpu.features.length === 0 ? <Unknown /> : report.cpu.features.join(' ')}
          <Small>
            {report.cpu.parts
              .map(({ implementer, part, count }) => `${count} × ${implementer}/${part}`)
              .join(', ')}
          </Small>
        </Fact>
        <Fact term="Accelerators">
          {report.accelerators.length === 0 && 'none found'}
          {report.accelerators.map(({ kind, name, evidence }) => (
            <span key={evidence}>
              {name ?? kind}
              <Small>
                <code>{evidence}</code>
              </Small>
            </span>
          ))}
        </Fact>
      </dl>
    </details>
  )
}
