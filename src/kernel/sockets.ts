/**
 * Open sockets as the seam gives them.
 *
 * **Source:** `include/uapi/linux/sock_diag.h`, `SOCK_DESTROY`
 */
import type { Ip } from '../model/ip.ts'
import type { Port, Protocol } from '../model/port.ts'
import { nativeAddon } from './native.ts'

/** A socket to destroy. */
export interface SocketTarget {
  /** What the kernel calls it: unique since the machine started. */
  readonly cookie: bigint
  /** Whom it is connected to; when it has another peer by now it is left alone. */
  readonly address: Ip
  readonly port: Port
}

/** Which sockets, and where. */
export interface SocketDestruction {
  /** A cgroup2 directory: the network namespaces of its processes are looked into. */
  readonly cgroup: string
  readonly protocol: Protocol
  readonly targets: readonly SocketTarget[]
}

/** What was destroyed. */
export interface DestroyedSockets {
  readonly sockets: number
  /** Network namespaces that were looked into. */
  readonly namespaces: number
}

/**
 * Destroys sockets: their owners get `ECONNABORTED`, the other side of a TCP connection a reset.
 *
 * @throws Error with a `code`, e.g. `SOCK_DIAG_NOT_SUPPORTED`; some may be destroyed then
 */
export async function destroySockets(request: SocketDestruction): Promise<DestroyedSockets> {
  return nativeAddon().destroySockets({ ...request, targets: [...request.targets] })
}

/** Whether this kernel lists and destroys sockets, found out by trying. */
export async function canDestroySockets(): Promise<boolean> {
  return nativeAddon()
    .tryDestroyingSockets()
    .then(
      () => true,
      () => false, // the trial is the question
    )
}
