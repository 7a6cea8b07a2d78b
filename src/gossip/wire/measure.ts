import { Buffer } from 'node:buffer'
import type { Sink } from './sink.ts'

/** Takes what a {@link Sink} takes and only counts its bytes: sizes cannot differ from layouts. */
class Measure implements Sink {
  sizeBytes = 0

  u8(): void {
    this.sizeBytes += 1
  }

  flag(): void {
    this.sizeBytes += 1
  }

  u16(): void {
    this.sizeBytes += 2
  }

  u32(): void {
    this.sizeBytes += 4
  }

  u53(): void {
    this.sizeBytes += 8
  }

  bytes(value: Uint8Array): void {
    this.sizeBytes += value.length
  }

  bytes16(value: Uint8Array): void {
    this.sizeBytes += 2 + value.length
  }

  bytes32(value: Uint8Array): void {
    this.sizeBytes += 4 + value.length
  }

  text(value: string): void {
    this.sizeBytes += 2 + Buffer.byteLength(value, 'utf8')
  }

  id(): void {
    this.sizeBytes += 16
  }

  endpoint(): void {
    this.sizeBytes += 18
  }

  digest(): void {
    this.sizeBytes += 8
  }
}

/** The number of bytes that this writes. */
export function measure(write: (sink: Sink) => void): number {
  const sink = new Measure()
  write(sink)
  return sink.sizeBytes
}
