import { nameSchema } from '../../shared/ids.ts'
import {
  generateKeyPair,
  parseSigningKey,
  parseTrustedKey,
  printSigningKey,
  printTrustedKey,
  type SigningKey,
  type TrustedKey,
} from '../../shared/signatures/index.ts'
import { tufKeyId } from '../../shared/trust/index.ts'
import { DurableFolder } from './durable-folder.ts'
import { KeysError } from './errors.ts'
import { isSealed, type ScryptCost, sealKey, unsealKey } from './sealed-key.ts'

/** A key by its name; whether its private part lies here, and how. */
export interface ListedKey {
  readonly name: string
  readonly keyId: string
  readonly publicKey: string
  /** `elsewhere`: only the public part is here. */
  readonly kept: 'plain' | 'sealed' | 'elsewhere'
}

/** Asks for the passphrase of a sealed key; `null` leaves that key unused. */
export type AskPassphrase = (name: string) => Promise<string | null>

/**
 * A folder of keys: `<name>.pub` beside `<name>.key`. A private key that is not needed here may be
 * moved to another machine; its public part stays.
 */
export class KeyRing {
  /** By the bytes of their files, which are the same ones until a file changes. */
  readonly #public = new WeakMap<Buffer, TrustedKey>()
  readonly #secret = new WeakMap<Buffer, SigningKey>()
  readonly #texts = new WeakMap<TrustedKey, string>()
  readonly #folder: DurableFolder
  readonly #cost: ScryptCost | undefined

  constructor(dir: string, cost?: ScryptCost) {
    this.#folder = new DurableFolder(dir)
    this.#cost = cost
  }

  /** @throws KeysError `key-exists` */
  generate(name: string, passphrase?: string): Promise<SigningKey> {
    return this.store(name, generateKeyPair(), passphrase)
  }

  /** Both parts of a key. @throws KeysError `key-exists` */
  async store(name: string, key: SigningKey, passphrase?: string): Promise<SigningKey> {
    const text =
      passphrase === undefined ? printSigningKey(key) : await sealKey(key, passphrase, this.#cost)
    // The private part first: a public part alone would pass for a key kept elsewhere.
    if (!(await this.#folder.create(`${checked(name)}.key`, text, 0o600))) throw exists(name)
    await this.add(name, key.trusted)
    return key
  }

  /** The public part of a key that was made on another machine. @throws KeysError `key-exists` */
  async add(name: string, key: TrustedKey): Promise<void> {
    const text = `${printTrustedKey(key)}\n`
    if (!(await this.#folder.create(`${checked(name)}.pub`, text))) throw exists(name)
  }

  async list(): Promise<ListedKey[]> {
    const names = await this.#folder.list()
    const keys = names.filter((file) => file.endsWith('.pub')).map((file) => file.slice(0, -4))
    return await Promise.all(
      keys.map(async (name) => {
        const key = await this.publicKey(name)
        const secret = await this.#folder.read(`${name}.key`)
        const kept = !secret ? 'elsewhere' : isSealed(secret.toString()) ? 'sealed' : 'plain'
        return { name, keyId: tufKeyId(key), publicKey: this.#printed(key), kept } as const
      }),
    )
  }

  #printed(key: TrustedKey): string {
    const text = this.#texts.get(key) ?? printTrustedKey(key)
    this.#texts.set(key, text)
    return text
  }

  /** @throws KeysError `no-such-key` */
  async publicKey(name: string): Promise<TrustedKey> {
    const text = await this.#folder.read(`${checked(name)}.pub`)
    if (!text) throw missing(name)
    const key = this.#public.get(text) ?? parseTrustedKey(text.toString())
    this.#public.set(text, key)
    return key
  }

  /** @throws KeysError `no-such-key`, `cannot-unseal`, `malformed-key-file` */
  async open(name: string, passphrase?: string): Promise<SigningKey> {
    const bytes = await this.#folder.read(`${checked(name)}.key`)
    if (!bytes) throw missing(name)
    const known = this.#secret.get(bytes)
    if (known) return known
    const text = bytes.toString()
    if (!isSealed(text)) {
      const key = parseSigningKey(text)
      this.#secret.set(bytes, key)
      return key
    }
    if (passphrase === undefined) {
      throw new KeysError('cannot-unseal', `key ${name} is sealed: give its passphrase`)
    }
    return await unsealKey(text, passphrase)
  }

  /** Of these key ids, the private keys that lie here and can be opened. */
  async openThose(keyIds: readonly string[], ask?: AskPassphrase): Promise<SigningKey[]> {
    const opened: SigningKey[] = []
    for (const { name, keyId, kept } of await this.list()) {
      if (!keyIds.includes(keyId) || kept === 'elsewhere') continue
      const passphrase = kept === 'sealed' ? await ask?.(name) : undefined
      if (kept === 'sealed' && (passphrase === undefined || passphrase === null)) continue
      opened.push(await this.open(name, passphrase ?? undefined))
    }
    return opened
  }

  /** The private part leaves this machine; the public part stays. The caller has its copy. */
  async dropSecret(name: string): Promise<void> {
    await this.publicKey(name)
    await this.#folder.remove(`${name}.key`)
  }
}

function checked(name: string): string {
  if (nameSchema.safeParse(name).success) return name
  throw new KeysError(
    'no-such-key',
    `"${name}" is no name of a key: use letters, digits, dot, dash`,
  )
}
const exists = (name: string) =>
  new KeysError('key-exists', `there is a key named ${name} already: choose another name`)
const missing = (name: string) =>
  new KeysError('no-such-key', `no key named ${name} here: fitment keys list shows what there is`)
