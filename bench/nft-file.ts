/** The same services as one flat map, written by hand and loaded with `nft -f`: the baseline. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../src/base/clock.ts'
import type { HostPlaces } from '../src/demo/places/places.ts'
import { run } from '../src/demo/run.ts'
import { addNamespace } from './network.ts'
import { backendAddress, vipAddress } from './synthetic.ts'

/** How much the table holds. */
export interface NftSize {
  readonly vips: number
  readonly backends: number
}

/** Makes a namespace and loads the table. @returns the time of `nft -f` in milliseconds */
export async function loadNftFile(
  host: HostPlaces,
  size: NftSize & { readonly directory: string },
): Promise<number> {
  await addNamespace(host)
  const file = join(size.directory, `${host.name}.nft`)
  await writeFile(file, tableText(size))
  return timed(() => nft(host, ['-f', file]))
}

/** Replaces one backend `changes` times. @returns the times of `nft -f` in milliseconds */
export async function changeByNft(
  host: HostPlaces,
  { vips, backends, changes }: NftSize & { readonly changes: number },
): Promise<number[]> {
  const times: number[] = []
  for (let change = 0; change < changes; change++) {
    const vip = (change * 7919) % vips
    const slot = change % backends
    const key = keyText(vip, slot)
    const value = `${backendAddress(vips * backends + change)} . 8080`
    const text = `delete element ip bench slots { ${key} }\nadd element ip bench slots { ${key} : ${value} }\n`
    times.push(await timed(() => nft(host, ['-f', '-'], text)))
  }
  return times
}

function tableText({ vips, backends }: NftSize): string {
  const elements: string[] = []
  for (let vip = 0; vip < vips; vip++) {
    for (let slot = 0; slot < backends; slot++) {
      const backend = backendAddress(vip * backends + slot)
      elements.push(`${keyText(vip, slot)} : ${backend} . 8080`)
    }
  }
  const slot = `numgen random mod ${backends}`
  const key = `ip daddr . ip protocol . th dport . ${slot}`
  return [
    'table ip bench {',
    `  map slots { typeof ${key} : ip daddr . th dport; elements = {`,
    `    ${elements.join(',\n    ')} } }`,
    '  chain output { type nat hook output priority -100;',
    `    meta l4proto { tcp, udp } dnat ip to ${key} map @slots`,
    '  }',
    '}',
    '',
  ].join('\n')
}

function keyText(vip: number, slot: number): string {
  return `${vipAddress(vip)} . tcp . 80 . ${slot}`
}

function nft(host: HostPlaces, args: readonly string[], input?: string): Promise<string> {
  return run('nsenter', [`--net=${host.namespacePath}`, 'nft', ...args], input)
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = systemClock.nowMs()
  await work()
  return systemClock.nowMs() - startMs
}
