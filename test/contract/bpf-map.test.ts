import { FakeBpfContent, FakeBpfMap } from '../../src/kernel/fake/bpf-map.ts'
import { ARRAY_SHAPE, bpfMapContract, HASH_SHAPE } from './bpf-map-contract.ts'

bpfMapContract('a BPF map in memory', async () => {
  const hash = new FakeBpfContent(HASH_SHAPE)
  const array = new FakeBpfContent({ ...ARRAY_SHAPE, kind: 'array' })
  return {
    hash: new FakeBpfMap(hash),
    foreign: new FakeBpfMap(hash),
    array: new FakeBpfMap(array),
    close: () => undefined,
  }
})
