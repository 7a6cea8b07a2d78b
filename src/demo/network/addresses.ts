/** Where DNS listens on every host, as in DC/OS. */
export const DNS_ADDRESS = '198.51.100.1'

/** The addresses of a host, by its number from 1 on. */
export interface HostAddresses {
  readonly ip: string
  readonly ip6: string
  /** The networks of its containers, as CIDR. */
  readonly containers: string
  readonly containers6: string
  /** The container with this number, from 1 on. */
  container(index: number): { readonly ip: string; readonly ip6: string }
}

/** The addresses of host `number`. */
export function hostAddresses(number: number): HostAddresses {
  return {
    ip: `10.99.0.${number}`,
    ip6: `fd99::${number}`,
    containers: `172.31.${number}.0/24`,
    containers6: `fd31:${number}::/64`,
    container: (index) => ({
      ip: `172.31.${number}.${10 + index}`,
      ip6: `fd31:${number}::${10 + index}`,
    }),
  }
}
