/** What an operator can set about the admin server. */
export interface AdminOptions {
  /** Where metrics, health and resources are served, e.g. `127.0.0.1:62080`. */
  readonly listen: string
}

/** The defaults. **Source:** dcos-net `apps/dcos_rest` (address and port) */
export const ADMIN_DEFAULTS: AdminOptions = Object.freeze({ listen: '127.0.0.1:62080' })
