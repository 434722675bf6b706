import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import { OTHER_PATHS } from '../contract/routes.ts'
import { apiTransport } from './api-transport.ts'

/**
 * Hears from the planner's stream of events that something moved; what it was is for who asks then. Ends, and never
 * throws, when the stream ends, whyever: who still wants to know asks from time to time, or listens again.
 */
export async function followEvents(
  data: string,
  moved: () => void,
  signal: AbortSignal,
  token: string | undefined = process.env.FITMENT_TOKEN,
): Promise<void> {
  try {
    const headers = { accept: 'text/event-stream' }
    const sent = await apiTransport(data, token).ask('GET', OTHER_PATHS.events, headers)
    const stop = () => sent.destroy()
    signal.addEventListener('abort', stop, { once: true })
    sent.on('error', () => {}).end()
    if (signal.aborted) stop()
    try {
      const [response] = (await once(sent, 'response')) as [IncomingMessage]
      for await (const line of createInterface({ input: response })) {
        if (line.startsWith('data:') && response.statusCode === 200) moved()
      }
    } finally {
      signal.removeEventListener('abort', stop)
      sent.destroy()
    }
  } catch {
    // Listening is a favour: questions tell what is wrong.
  }
}
