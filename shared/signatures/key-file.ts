import { chmod, link, open, readFile, unlink } from 'node:fs/promises'
import { newId } from '../ids.ts'
import { generateKeyPair, parseSigningKey, printSigningKey, type SigningKey } from './keys.ts'

/** PKCS #8 PEM. @throws SignatureError `malformed-key`; the file system's own error where it cannot be read */
export async function readSigningKey(path: string): Promise<SigningKey> {
  return parseSigningKey(await readFile(path, 'utf8'))
}

/**
 * The key in this file; made on first use, readable by its owner only (mode 0600), whole or not at
 * all: it is linked into place, so two processes that start together end with one key.
 */
export async function ensureSigningKey(path: string): Promise<SigningKey> {
  try {
    return await readSigningKey(path)
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
  }
  const draft = `${path}.${newId()}.tmp`
  await writeOwnerOnly(draft, printSigningKey(generateKeyPair()))
  try {
    await link(draft, path)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  } finally {
    await unlink(draft)
  }
  return await readSigningKey(path)
}

async function writeOwnerOnly(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await chmod(path, 0o600)
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
