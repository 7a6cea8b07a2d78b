import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { openPinnedMap } from '../../src/kernel/bpf.ts'
import { findBpfMount } from '../../src/kernel/mounts.ts'
import { nativeAddon } from '../../src/kernel/native.ts'
import { bpfMapContract, HASH_SHAPE } from '../contract/bpf-map-contract.ts'
import { requireFeature } from '../feature.ts'

let count = 0

bpfMapContract('a BPF map of the kernel', async (ctx) => {
  await requireFeature(ctx, 'root')
  await requireFeature(ctx, 'ebpf')
  const pinDirectory = join((await findBpfMount()) ?? '', `nsv-map-${process.pid}-${count++}`)
  const object = await nativeAddon().BpfObject.load({
    object: 'l4lb',
    pinDirectory,
    constants: { has_set_retval: 0 },
    maxEntries: { slots: HASH_SHAPE.maxEntries },
  })
  const [hash, array] = [object.map('slots'), object.map('ranges')]
  const foreign = await openPinnedMap(join(pinDirectory, 'slots'))
  return {
    hash,
    foreign,
    array,
    close: async () => {
      for (const closeable of [hash, foreign, array, object]) closeable.close()
      await rm(pinDirectory, { recursive: true })
    },
  }
})
