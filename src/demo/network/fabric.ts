/**
 * The network between the hosts: a namespace with a bridge, each host's leg a port of it. A host
 * without power has its port down. A cluster that is cut has a bridge per side, and each port is on
 * the bridge of its side.
 */
import type { DemoPlaces } from '../places/places.ts'
import { ipBatch } from '../run.ts'
import { ipIn, quiet } from './ip-command.ts'

/** The bridge that joins all hosts. */
export const WHOLE = 'br0'

/** Makes the fabric. */
export async function addFabric({ fabric }: DemoPlaces): Promise<void> {
  await ipBatch([`netns add ${fabric}`])
  await quiet(fabric)
  await ipIn(fabric, [
    'link set lo up',
    `link add name ${WHOLE} type bridge`,
    `link set ${WHOLE} up`,
    `address add 10.99.0.254/24 dev ${WHOLE}`,
    `address add fd99::fe/64 dev ${WHOLE} nodad`,
  ])
}

/** Brings the port of a host up or down. */
export async function setPort(
  { fabric }: DemoPlaces,
  name: string,
  state: 'up' | 'down',
): Promise<void> {
  await ipIn(fabric, [`link set ${name} ${state}`])
}

/** Gives each side a bridge of its own. */
export async function divide(
  { fabric }: DemoPlaces,
  sides: readonly (readonly string[])[],
): Promise<void> {
  const lines = sides.flatMap((_, side) => [
    `link add name ${sideBridge(side)} type bridge`,
    `link set ${sideBridge(side)} up`,
  ])
  const moves = sides.flatMap((names, side) =>
    names.map((name) => `link set ${name} master ${sideBridge(side)}`),
  )
  await ipIn(fabric, [...lines, ...moves])
}

/** Undoes {@link divide}. */
export async function unite(
  { fabric }: DemoPlaces,
  sides: readonly (readonly string[])[],
): Promise<void> {
  const moves = sides.flat().map((name) => `link set ${name} master ${WHOLE}`)
  const bridges = sides.map((_, side) => `link delete ${sideBridge(side)}`)
  await ipIn(fabric, [...moves, ...bridges])
}

function sideBridge(side: number): string {
  return `side${side + 1}`
}
