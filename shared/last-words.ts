import type { Readable } from 'node:stream'

const KEPT_CHARACTERS = 4096
const LONGEST_LINE = 200

/** The end of what a child process says on a stream, for when it dies. */
export class LastWords {
  #said = ''

  constructor(stream: Readable | null) {
    stream?.on('data', (chunk: Buffer) => this.add(chunk.toString('utf8')))
  }

  add(text: string): void {
    this.#said = (this.#said + text).slice(-KEPT_CHARACTERS)
  }

  says(pattern: RegExp): boolean {
    return pattern.test(this.#said)
  }

  /** Its last line that fits, cut to what a message can bear; empty where none does. */
  line(pattern = /./, longest = LONGEST_LINE): string {
    const found = this.#said
      .split('\n')
      .map((text) => text.trim())
      .findLast((text) => pattern.test(text))
    return found?.slice(0, longest) ?? ''
  }
}
