import type { MqttClient } from 'mqtt'

/** Time a broker has to take a farewell and let go, ms. */
const FAREWELL_MS = 2_000

/**
 * Ends a session in order: last words, then DISCONNECT; and by hanging up where the broker does not answer in time. A client
 * that waits for what it sent to be acknowledged waits for ever once the connection is gone.
 * @param lastWords what is said where there is a connection
 */
export async function leaveBroker(
  client: MqttClient,
  lastWords: () => Promise<unknown>,
  limitMs = FAREWELL_MS,
): Promise<void> {
  if (client.connected) {
    let timer: NodeJS.Timeout | undefined
    // Keeps the process: whoever leaves waits for nothing else, and is to end in order.
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limitMs)
    })
    const inOrder = lastWords()
      .then(() => client.endAsync())
      .catch(() => {})
    await Promise.race([inOrder, limit])
    clearTimeout(timer)
  }
  client.end(true)
  client.stream.destroy()
}
