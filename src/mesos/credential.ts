/** Who we are towards Mesos: stock Mesos takes `basic` or `bearer`, DC/OS Enterprise `dcos`. */
export type MesosCredential =
  | { readonly kind: 'basic'; readonly user: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly token: string }
  | { readonly kind: 'dcos'; readonly token: string }

/**
 * The value of the `Authorization` header, e.g. `Basic dTpw`, `Bearer t`, `token=t`.
 *
 * **Source:** RFC 7617, RFC 6750 §2.1; dcos-net `dcos_net_mesos.erl` for `token=`
 */
export function authorizationOf(credential: MesosCredential): string {
  switch (credential.kind) {
    case 'basic':
      return `Basic ${Buffer.from(`${credential.user}:${credential.password}`).toString('base64')}`
    case 'bearer':
      return `Bearer ${credential.token}`
    case 'dcos':
      return `token=${credential.token}`
  }
}
