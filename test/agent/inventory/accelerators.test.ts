import t from 'tap'
import { deviceRoot } from '../../../agent/device-root/index.ts'
import { ACCELERATOR_ROWS } from '../../../agent/inventory/accelerator-evidence.ts'
import { readAccelerators } from '../../../agent/inventory/accelerators.ts'
import { ACCELERATORS } from '../../../shared/messages/hardware-report.ts'

type Tree = Parameters<typeof t.testdir>[0]

/** What a system with each accelerator shows, one line of evidence per case. */
const CASES: readonly [string, Record<string, string>, readonly string[]][] = [
  ['Edge TPU on PCIe', { '/dev/apex_0': '' }, ['edgetpu']],
  [
    'Edge TPU on USB, fresh',
    { '/sys/bus/usb/devices/1-1/uevent': 'PRODUCT=1a6e/89a/100\n' },
    ['edgetpu'],
  ],
  [
    'Edge TPU on USB, used',
    { '/sys/bus/usb/devices/2-1/uevent': 'DRIVER=usb\nPRODUCT=18d1/9302/100\n' },
    ['edgetpu'],
  ],
  ['another USB device', { '/sys/bus/usb/devices/2-1/uevent': 'PRODUCT=18d1/4ee7/100\n' }, []],
  ['Ethos-U', { '/dev/ethosu0': '' }, ['ethos-u']],
  ['Ethos-N', { '/dev/ethosn0': '' }, ['ethos-n']],
  ['RKNPU misc device', { '/sys/class/misc/rknpu/dev': '10:1' }, ['rknpu']],
  [
    'RKNPU as render node, beside a display that is no GPU',
    {
      '/sys/class/drm/renderD128/device/uevent': 'DRIVER=rockchip-drm\n',
      '/sys/class/drm/renderD129/device/uevent': 'DRIVER=RKNPU\nOF_NAME=npu\n',
    },
    ['rknpu'],
  ],
  ['RKNPU mainline', { '/sys/class/accel/accel0/device/uevent': 'DRIVER=rocket\n' }, ['rknpu']],
  [
    'RKNPU in the device tree only',
    { '/proc/device-tree/npu@fdab0000/compatible': 'rockchip,rk3588-rknpu\0' },
    ['rknpu'],
  ],
  [
    'RKNPU switched off in the device tree',
    {
      '/proc/device-tree/npu@fdab0000/compatible': 'rockchip,rk3588-rknpu\0',
      '/proc/device-tree/npu@fdab0000/status': 'disabled\0',
    },
    [],
  ],
  ['Hailo', { '/dev/hailo0': '' }, ['hailo']],
  [
    'VeriSilicon NPU',
    {
      '/dev/galcore': '',
      '/proc/device-tree/vipsi@38500000/compatible': 'fsl,imx8-gpu\0fsl,imx8-vipsi\0',
    },
    ['verisilicon', 'gpu'],
  ],
  ['galcore of a GPU without an NPU', { '/dev/galcore': '' }, ['gpu']],
  [
    'VeriSilicon NPU switched off by the firmware',
    {
      '/dev/galcore': '',
      '/proc/device-tree/vipsi@38500000/compatible': 'fsl,imx8-vipsi\0',
      '/proc/device-tree/vipsi@38500000/status': 'disabled\0',
    },
    ['gpu'],
  ],
  [
    'VeriSilicon NPU, mainline',
    { '/proc/device-tree/soc@0/npu@38500000/compatible': 'vivante,gc\0' },
    ['verisilicon'],
  ],
  ['Hexagon', { '/dev/fastrpc-cdsp': '' }, ['hexagon']],
  ['Hexagon, secure node', { '/dev/fastrpc-cdsp-secure': '' }, ['hexagon']],
  ['Hexagon, downstream', { '/dev/adsprpc-smd': '' }, ['hexagon']],
  ['Jetson', { '/dev/nvhost-ctrl-gpu': '' }, ['jetson']],
  ['Jetson, JetPack 6', { '/dev/nvgpu/igpu0/ctrl': '' }, ['jetson']],
  ['Jetson, nvmap', { '/dev/nvmap': '' }, ['jetson']],
  ['Jetson, release file', { '/etc/nv_tegra_release': '# R32' }, ['jetson']],
  [
    'Intel NPU',
    { '/sys/class/accel/accel0/device/uevent': 'DRIVER=intel_vpu\nPCI_ID=8086:7D1D\n' },
    ['intel-npu'],
  ],
  ['TI C7x', { '/sys/class/remoteproc/remoteproc3/firmware': 'j7-c71_0-fw\n' }, ['ti-c7x']],
  ['TI R5 only', { '/sys/class/remoteproc/remoteproc0/firmware': 'j7-mcu-r5f0_0-fw\n' }, []],
  ['Mali', { '/dev/mali0': '' }, ['gpu']],
  ['Intel GPU', { '/sys/class/drm/renderD128/device/uevent': 'DRIVER=i915\n' }, ['gpu']],
  ['a display without GPU', { '/sys/class/drm/card0/device/uevent': 'DRIVER=simpledrm\n' }, []],
  ['nothing', {}, []],
]

t.test('each accelerator by its evidence', async (t) => {
  const seen = new Set<string>()
  for (const [name, files, kinds] of CASES) {
    const found = await readAccelerators(deviceRoot(t.testdir(treeOf(files))))
    t.same(found.map((accelerator) => accelerator.kind).sort(), [...kinds].sort(), name)
    for (const { name: row } of found) seen.add(row ?? '')
  }
  const unproved = ACCELERATOR_ROWS.filter((row) => !seen.has(row.name)).map((row) => row.name)
  t.same(unproved, [], 'every row of the table has a case that shows it')
})

t.test('the table has a row for every kind', async (t) => {
  const kinds = new Set(ACCELERATOR_ROWS.map((row) => row.kind))
  t.same(
    ACCELERATORS.filter((kind) => !kinds.has(kind)),
    [],
  )
})

function treeOf(files: Record<string, string>): NonNullable<Tree> {
  const tree: Record<string, unknown> = {}
  for (const [path, text] of Object.entries(files)) {
    const segments = path.split('/').filter(Boolean)
    const file = segments.pop() ?? ''
    let folder = tree
    for (const segment of segments) {
      folder[segment] ??= {}
      folder = folder[segment] as Record<string, unknown>
    }
    folder[file] = text
  }
  return tree as NonNullable<Tree>
}
