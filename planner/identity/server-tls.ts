/** PEM texts, as a TLS listener takes them. */
export interface ServerTls {
  readonly key: string
  readonly cert: string
  readonly ca: string
}
