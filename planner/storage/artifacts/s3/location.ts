import { UsageError } from '../../../../shared/errors.ts'

export interface BucketLocation {
  readonly bucket: string
  /** Empty, or ends in a slash. */
  readonly prefix: string
}

const BUCKET = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([A-Za-z0-9!_.*'()/-]*))?$/

/** @throws UsageError */
export function parseBucketLocation(text: string): BucketLocation {
  const [, bucket, path = ''] = BUCKET.exec(text) ?? []
  const parts = path.split('/').filter((part) => part !== '')
  if (bucket === undefined || parts.some((part) => part === '.' || part === '..')) {
    throw new UsageError(
      `"${text}" is no place for artifacts: write s3://bucket or s3://bucket/prefix`,
    )
  }
  return { bucket, prefix: parts.map((part) => `${part}/`).join('') }
}

export function printBucketLocation({ bucket, prefix }: BucketLocation): string {
  return `s3://${bucket}/${prefix}`.replace(/\/$/, '')
}
