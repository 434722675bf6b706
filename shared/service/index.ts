export { notifyReady } from './notify.ts'
