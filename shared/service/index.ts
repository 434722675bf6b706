export { notifyReady } from './notify.ts'
export { stopSignal } from './stop-signal.ts'
