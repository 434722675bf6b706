import type { Accelerator } from '../../shared/messages/index.ts'

/** One thing to look at: a path (segments may hold `*`), and what its text must say where presence is not enough. */
export interface Evidence {
  readonly path: string
  readonly says?: RegExp
}

/** An accelerator is there when all evidence of a row is. Rows of one kind are alternatives, best first. */
export interface AcceleratorRow {
  readonly kind: Accelerator['kind']
  readonly name: string
  readonly all: readonly Evidence[]
  /** Evidence that speaks against it. */
  readonly none?: readonly Evidence[]
}

const driver = (name: string) => new RegExp(`^DRIVER=(${name})$`, 'm')
const usb = (vendor: string, product: string) => new RegExp(`^PRODUCT=${vendor}/${product}/`, 'm')

const GPU_DRIVERS =
  'amdgpu|etnaviv(-gpu)?|i915|lima|msm\\S*|nouveau|nvidia|panfrost|panthor|powervr|pvrsrvkm|radeon|tegra\\S*|v3d|xe'

/**
 * Sources, by row: Coral's get-started guide (apex node, USB ids before and after the first use); Arm's ethos-u
 * and ethos-n Linux drivers; Rockchip rknpu driver and rk3588s.dtsi, mainline drivers/accel/rocket; Hailo's PCIe
 * driver; NXP imx8mp.dtsi (vipsi) and mainline etnaviv binding; drivers/misc/fastrpc.c and its downstream
 * ancestor; NVIDIA L4T nvhost and nvgpu nodes; mainline drivers/accel/ivpu; TI k3-j721e-main.dtsi (C71x remote processor).
 */
export const ACCELERATOR_ROWS: readonly AcceleratorRow[] = [
  { kind: 'edgetpu', name: 'Coral Edge TPU (PCIe)', all: [{ path: '/dev/apex_0' }] },
  {
    kind: 'edgetpu',
    name: 'Coral Edge TPU (USB, before first use)',
    all: [{ path: '/sys/bus/usb/devices/*/uevent', says: usb('1a6e', '89a') }],
  },
  {
    kind: 'edgetpu',
    name: 'Coral Edge TPU (USB)',
    all: [{ path: '/sys/bus/usb/devices/*/uevent', says: usb('18d1', '9302') }],
  },
  { kind: 'ethos-u', name: 'Arm Ethos-U', all: [{ path: '/dev/ethosu0' }] },
  { kind: 'ethos-n', name: 'Arm Ethos-N', all: [{ path: '/dev/ethosn0' }] },
  { kind: 'rknpu', name: 'Rockchip NPU', all: [{ path: '/sys/class/misc/rknpu' }] },
  {
    kind: 'rknpu',
    name: 'Rockchip NPU (DRM driver)',
    all: [{ path: '/sys/class/drm/renderD*/device/uevent', says: driver('RKNPU') }],
  },
  {
    kind: 'rknpu',
    name: 'Rockchip NPU (mainline rocket driver)',
    all: [{ path: '/sys/class/accel/accel*/device/uevent', says: driver('rocket') }],
  },
  {
    kind: 'rknpu',
    name: 'Rockchip NPU (device tree only: no driver seen)',
    all: [{ path: '/proc/device-tree/npu@*/compatible', says: /rockchip,\S*rknpu/ }],
    none: [{ path: '/proc/device-tree/npu@*/status', says: /^disabled$/ }],
  },
  { kind: 'hailo', name: 'Hailo', all: [{ path: '/dev/hailo0' }] },
  {
    // galcore also serves the Vivante GPU of chips without an NPU, so the NPU's own node must be there too.
    kind: 'verisilicon',
    name: 'VeriSilicon VIP (galcore)',
    all: [
      { path: '/dev/galcore' },
      { path: '/proc/device-tree/vipsi@*/compatible', says: /vipsi/ },
    ],
    none: [{ path: '/proc/device-tree/vipsi@*/status', says: /^disabled$/ }],
  },
  {
    kind: 'verisilicon',
    name: 'VeriSilicon VIP (mainline etnaviv)',
    all: [{ path: '/proc/device-tree/soc@*/npu@*/compatible', says: /vivante,gc/ }],
  },
  { kind: 'hexagon', name: 'Hexagon DSP (FastRPC)', all: [{ path: '/dev/fastrpc-cdsp' }] },
  { kind: 'hexagon', name: 'Hexagon DSP (FastRPC)', all: [{ path: '/dev/fastrpc-cdsp-secure' }] },
  { kind: 'hexagon', name: 'Hexagon DSP (downstream)', all: [{ path: '/dev/adsprpc-smd' }] },
  { kind: 'jetson', name: 'NVIDIA Jetson', all: [{ path: '/dev/nvhost-ctrl-gpu' }] },
  { kind: 'jetson', name: 'NVIDIA Jetson', all: [{ path: '/dev/nvgpu/igpu0/ctrl' }] },
  { kind: 'jetson', name: 'NVIDIA Jetson', all: [{ path: '/dev/nvmap' }] },
  { kind: 'jetson', name: 'NVIDIA Jetson (L4T release)', all: [{ path: '/etc/nv_tegra_release' }] },
  {
    kind: 'intel-npu',
    name: 'Intel NPU',
    all: [{ path: '/sys/class/accel/accel*/device/uevent', says: driver('intel_vpu') }],
  },
  {
    kind: 'ti-c7x',
    name: 'TI C7x DSP with MMA',
    all: [{ path: '/sys/class/remoteproc/remoteproc*/firmware', says: /c7x|c71/ }],
  },
  { kind: 'gpu', name: 'Arm Mali (vendor driver)', all: [{ path: '/dev/mali0' }] },
  { kind: 'gpu', name: 'Vivante GPU (galcore)', all: [{ path: '/dev/galcore' }] },
  {
    // A render node alone is no GPU: Rockchip's display and NPU drivers make one too.
    kind: 'gpu',
    name: 'GPU (DRM render node)',
    all: [{ path: '/sys/class/drm/renderD*/device/uevent', says: driver(GPU_DRIVERS) }],
  },
]
