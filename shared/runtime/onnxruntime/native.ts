import type * as Ort from 'onnxruntime-node'

/**
 * ONNX Runtime's own builds have telemetry to Microsoft switched on: they keep an identifier of the machine in ~/.cache,
 * and leave a log in the folder for temporary files, unless this variable is set when they are loaded
 * (posix/telemetry.cc). What a fleet runs is nobody's business.
 */
const TELEMETRY = 'ORT_DISABLE_TELEMETRY'

/** For the main thread of a process whose other threads load ONNX Runtime: they cannot set what native code reads. */
export function forbidTelemetry(): void {
  process.env[TELEMETRY] = '1'
}

/** The native library, mapped on the first call; it stays in the process. */
export async function loadNative(): Promise<typeof Ort> {
  forbidTelemetry()
  return await import('onnxruntime-node')
}
