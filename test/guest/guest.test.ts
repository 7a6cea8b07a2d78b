import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GUEST_KINDS } from '../../dev/guest/kinds.ts'
import { PROGRAMS } from '../../src/l4lb/planes/ebpf/plane.ts'
import { requireFeature } from '../feature.ts'
import { runScript } from './run.ts'

const IPVS = [
  'ipvsadm -A -t 11.0.0.1:80 -s wlc',
  'ipvsadm -a -t 11.0.0.1:80 -r 10.0.0.1:8080 -m -w 3',
  'ipvsadm -Sn',
].join(' && ')

let out: string

beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), 'nsv-guest-out-'))
})

afterAll(async () => {
  await rm(out, { recursive: true })
})

describe.each(GUEST_KINDS)('a guest of kind %s', (kind) => {
  it('passes on outputs and exit code; has IPVS and takes the BPF programs; keeps only files in /out', async (ctx) => {
    await requireFeature(ctx, kind)
    const lost = join(out, `lost-${kind}`)
    const script = `
      pwd; id -u; node --version; echo wrong >&2
      ${IPVS} > $GUEST_OUT/ipvs-${kind} || exit 10
      node test/guest/programs-main.ts || exit 11
      nft add table ip nsv-guest 2>/dev/null && echo nftables
      echo lost > ${lost} && cat ${lost}
      head -c 1000000 /dev/zero > /out/zero-${kind}
      exit 3`
    const { end, stdout, stderr } = await runScript(kind, script, { outDirectory: out })
    expect({ end, stderr }).toEqual({ end: { kind: 'exited', code: 3 }, stderr: 'wrong\n' })
    expect(stdout.split('\n')).toEqual([
      process.cwd(),
      '0',
      process.version,
      `${PROGRAMS.length} programs`,
      ...(kind === 'qemu' ? ['nftables'] : []),
      'lost',
      '',
    ])
    expect(await readFile(join(out, `ipvs-${kind}`), 'utf8')).toBe(
      '-A -t 11.0.0.1:80 -s wlc\n-a -t 11.0.0.1:80 -r 10.0.0.1:8080 -m -w 3\n',
    )
    expect((await stat(join(out, `zero-${kind}`))).size).toBe(1_000_000)
    await expect(stat(lost)).rejects.toThrow('ENOENT')
  })
})

describe('guests side by side', () => {
  it('do not see each other', async (ctx) => {
    await requireFeature(ctx, 'uml')
    const script = (code: number) =>
      `test ! -e /tmp/nsv-seen && touch /tmp/nsv-seen && exit ${code}`
    const ends = await Promise.all([20, 21].map((code) => runScript('uml', script(code))))
    expect(ends.map(({ end }) => end)).toEqual([
      { kind: 'exited', code: 20 },
      { kind: 'exited', code: 21 },
    ])
  })
})
