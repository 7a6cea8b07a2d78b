import { expect, test } from 'vitest'
import { failureOf } from '../../src/mesos/failure.ts'

test.each([
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'MESOS_UNTRUSTED'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'MESOS_UNTRUSTED'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'MESOS_UNTRUSTED'],
  ['HPE_INVALID_CONSTANT', 'MESOS_RESPONSE_INVALID'],
  ['ECONNREFUSED', 'MESOS_UNREACHABLE'],
  [undefined, 'MESOS_UNREACHABLE'],
])('an error with the code %s is %s', (code, expected) => {
  expect(failureOf(Object.assign(new Error('failed'), { code }))).toBe(expected)
})
