/** What a failed exchange with Mesos counts as. */
export type ExchangeFailure = 'MESOS_RESPONSE_INVALID' | 'MESOS_UNREACHABLE' | 'MESOS_UNTRUSTED'

/** Codes of OpenSSL's verification (X509_V_ERR_…) and of Node.js' check of the host. */
const UNTRUSTED: ReadonlySet<string> = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'INVALID_CA',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/**
 * Tells what is no HTTP, and certificates that are not trusted, from the rest.
 *
 * **Source:** Node.js TLS, X509 certificate error codes; `HPE_…` are those of its HTTP parser
 */
export function failureOf(error: unknown): ExchangeFailure {
  const { code } = error as NodeJS.ErrnoException
  if (code === undefined) return 'MESOS_UNREACHABLE'
  if (code.startsWith('HPE_')) return 'MESOS_RESPONSE_INVALID'
  return UNTRUSTED.has(code) ? 'MESOS_UNTRUSTED' : 'MESOS_UNREACHABLE'
}
