import type { Socket } from 'node:net'
import type { BrokerLimits } from './limits.ts'

export type Denial = 'too-many-connections' | 'too-many-from-address'

/** Counts open sockets, before a byte of them is read. */
export class Admission {
  readonly #limits: Pick<BrokerLimits, 'connections' | 'connectionsPerAddress'>
  readonly #sockets = new Set<Socket>()
  readonly #perAddress = new Map<string, number>()

  constructor(limits: Pick<BrokerLimits, 'connections' | 'connectionsPerAddress'>) {
    this.#limits = limits
  }

  /** Counts the socket until it closes, or says why it has no place. */
  admit(socket: Socket): Denial | undefined {
    const address = socket.remoteAddress ?? ''
    const fromAddress = this.#perAddress.get(address) ?? 0
    if (this.#sockets.size >= this.#limits.connections) return 'too-many-connections'
    if (fromAddress >= this.#limits.connectionsPerAddress) return 'too-many-from-address'
    this.#sockets.add(socket)
    this.#perAddress.set(address, fromAddress + 1)
    socket.once('close', () => this.#release(socket, address))
    return undefined
  }

  closeAll(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #release(socket: Socket, address: string): void {
    this.#sockets.delete(socket)
    const left = (this.#perAddress.get(address) ?? 1) - 1
    if (left === 0) this.#perAddress.delete(address)
    else this.#perAddress.set(address, left)
  }
}
