import { messageOf } from '../../shared/errors.ts'
import { DataFolderError } from './errors.ts'
import type { Pixels } from './pixels.ts'

export const IMAGE_ENDINGS: ReadonlySet<string> = new Set([
  '.jpg',
  '.jpeg',
  '.png',
  '.webp',
  '.gif',
  '.tif',
  '.tiff',
  '.avif',
])

type Sharp = typeof import('sharp').default

/** Decodes images as they are displayed. @throws DataFolderError `no-image-decoder` */
export async function openDecoder(): Promise<(path: string) => Promise<Pixels>> {
  const sharp = await loadSharp()
  return (path) => decode(sharp, path)
}

async function loadSharp(): Promise<Sharp> {
  try {
    return (await import('sharp')).default
  } catch (cause) {
    throw new DataFolderError(
      'no-image-decoder',
      `images need the package sharp, which is not installed here: npm install sharp, or give arrays as .npz (${messageOf(cause).split('\n')[0]})`,
      {},
      { cause },
    )
  }
}

async function decode(sharp: Sharp, path: string): Promise<Pixels> {
  try {
    const { data, info } = await sharp(path, { failOn: 'truncated' })
      .autoOrient()
      .toColourspace('srgb')
      .flatten({ background: '#000' })
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    const { width, height, channels } = info
    return { width, height, data: threeChannels(data, width * height, channels) }
  } catch (cause) {
    throw new DataFolderError(
      'unreadable-image',
      `${path} is no image, or it is damaged: repair or remove it`,
      { path },
      { cause },
    )
  }
}

function threeChannels(data: Uint8Array, pixels: number, channels: number): Uint8Array {
  if (channels === 3) return data
  const out = new Uint8Array(pixels * 3)
  for (let i = 0; i < pixels; i += 1) out.fill(data[i * channels] as number, 3 * i, 3 * i + 3)
  return out
}
