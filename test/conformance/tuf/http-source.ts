import type { MetadataSource } from '../../../agent/trust/index.ts'

/** A repository over HTTP: only for conformance; devices get metadata over MQTT. */
export function httpSource(baseUrl: string): MetadataSource {
  return {
    fetch: async (file, signal) => {
      const response = await fetch(urlOf(baseUrl, file), { signal })
      if (response.status === 404 || response.status === 403) return null
      if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`)
      return response.body
    },
  }
}

export function urlOf(baseUrl: string, path: string): string {
  return `${baseUrl.replace(/\/+$/, '')}/${path}`
}
