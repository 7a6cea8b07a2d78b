import { NavstarError } from '../base/error.ts'
import type { Ipvs, IpvsInformation, IpvsOperation } from './ipvs.ts'
import { readRecords, recordsOf } from './ipvs-record.ts'
import type { NativeAddon } from './native.ts'
import { type OperationResult, readFailure } from './operation.ts'

type NativeNamespace = InstanceType<NativeAddon['NetworkNamespace']>

const APPLIED: OperationResult = { errno: 0, name: 'OK', applied: true }

/** IPVS of a network namespace of the kernel; it ends with the namespace. */
export class NamespaceIpvs implements Ipvs {
  readonly #native: NativeNamespace

  constructor(native: NativeNamespace) {
    this.#native = native
  }

  async information(): Promise<IpvsInformation | undefined> {
    try {
      return await this.#native.ipvsInformation()
    } catch (cause) {
      if (codeOf(cause) === 'IPVS_NOT_SUPPORTED') return undefined
      throw readFailure('read version of IPVS', cause)
    }
  }

  async observe(): ReturnType<Ipvs['observe']> {
    const records = await read('IPVS services', () => this.#native.ipvsObserve())
    return readRecords(records)
  }

  async apply(operations: readonly IpvsOperation[]): Promise<readonly OperationResult[]> {
    const { bytes, schedulers } = recordsOf(operations)
    const refusals = await this.#native.ipvsApply(bytes, schedulers)
    const results = operations.map(() => APPLIED)
    for (const { index, ...refusal } of refusals) results[index] = { ...refusal, applied: false }
    return results
  }

  async timeouts(): ReturnType<Ipvs['timeouts']> {
    const { tcp, tcpFin, udp } = await read('IPVS timeouts', () => this.#native.ipvsTimeouts())
    return { tcpSeconds: tcp, tcpFinSeconds: tcpFin, udpSeconds: udp }
  }

  async setTimeouts(changes: Parameters<Ipvs['setTimeouts']>[0]): Promise<void> {
    const { tcpSeconds = 0, tcpFinSeconds = 0, udpSeconds = 0 } = changes
    const timeouts = { tcp: tcpSeconds, tcpFin: tcpFinSeconds, udp: udpSeconds }
    try {
      await this.#native.ipvsSetTimeouts(timeouts)
    } catch (cause) {
      throw new NavstarError('KERNEL_OPERATION_FAILED', { attempt: 'set IPVS timeouts', cause })
    }
  }
}

async function read<T>(object: string, reading: () => Promise<T>): Promise<T> {
  try {
    return await reading()
  } catch (cause) {
    throw readFailure(`read ${object}`, cause)
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
