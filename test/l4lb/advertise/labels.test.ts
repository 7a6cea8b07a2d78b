import { describe, expect, test } from 'vitest'
import { parseVipLabel } from '../../../src/l4lb/advertise/labels.ts'

/** Label, what it is, and the port. */
const GOOD = [
  ['/web:80', 'web.marathon', 80],
  ['web:80', 'web.marathon', 80],
  ['/group/app:80', 'groupapp.marathon', 80],
  ['/api.hello:80', 'api.hello.marathon', 80],
  ['My_App.v2:443', 'my-app.v2.marathon', 443],
  ['-x-:1', 'x.marathon', 1],
  ['a:b:80', 'ab.marathon', 80],
  ['[web]:80', 'web.marathon', 80],
  ['1.2.3:80', '1.2.3.marathon', 80],
  ['1.2.3.256:80', '1.2.3.256.marathon', 80],
  ['01.2.3.4:80', '01.2.3.4.marathon', 80],
  ['10.1.2.3:80', '10.1.2.3', 80],
  ['198.51.100.77:65535', '198.51.100.77', 65535],
  ['fd01:c::5:8080', 'fd01:c::5', 8080],
  ['[fd01:c::5]:8080', 'fd01:c::5', 8080],
  ['FD01:C:0:0::5:8080', 'fd01:c::5', 8080],
  ['::1:80', '::1', 80],
  ['::ffff:10.1.2.3:80', '10.1.2.3', 80],
  ['/web:+80', 'web.marathon', 80],
  ['/web:0080', 'web.marathon', 80],
] as const

const BAD = [
  ['/web', 'no port'],
  ['80', 'no port'],
  ['', 'no port'],
  ['/web:', '1 to 65535'],
  ['/web:0', '1 to 65535'],
  ['/web:-1', '1 to 65535'],
  ['/web:abc', '1 to 65535'],
  ['/web:80 ', '1 to 65535'],
  ['/web:8 0', '1 to 65535'],
  ['/web:0x50', '1 to 65535'],
  ['/web:1e2', '1 to 65535'],
  ['/web:80.5', '1 to 65535'],
  ['/web:65536', '1 to 65535'],
  ['/web:99999999999999999999', '1 to 65535'],
  ['/web:٨٠', '1 to 65535'],
  [':80', 'nothing of its name'],
  ['/:80', 'nothing of its name'],
  ['///:80', 'nothing of its name'],
  ['...:80', 'nothing of its name'],
  ['日本:80', 'nothing of its name'],
  ['\0:80', 'nothing of its name'],
] as const

describe('a VIP label', () => {
  test.each(GOOD)('%s is %s port %i', (label, expected, port) => {
    const parsed = parseVipLabel(label, 'marathon')
    expect(parsed.port).toBe(port)
    const { vip } = parsed
    expect(vip.kind === 'named' ? vip.name : vip.address).toBe(expected)
  })

  test.each(BAD)('%j is refused: %s', (label, reason) => {
    expect(() => parseVipLabel(label, 'marathon')).toThrow(
      expect.objectContaining({ code: 'LABEL_INVALID', message: expect.stringContaining(reason) }),
    )
  })

  test('keeps the raw label and the framework, which tell VIPs of one name apart', () => {
    expect(parseVipLabel('/Web:80', 'Marathon EE').vip).toEqual({
      kind: 'named',
      label: 'web',
      rawLabel: '/Web',
      framework: 'Marathon EE',
      name: 'web.marathonee',
    })
  })

  test('needs a framework with a DNS form only when it is a name', () => {
    expect(() => parseVipLabel('/web:80', '/')).toThrow(/framework name/)
    expect(parseVipLabel('10.1.2.3:80', '/').vip.kind).toBe('address')
  })

  test('is cut in the message when it is long', () => {
    const parse = () => parseVipLabel('x'.repeat(10_000), 'marathon')
    expect(parse).toThrow(expect.objectContaining({ message: expect.stringMatching(/^.{0,200}$/) }))
  })
})
