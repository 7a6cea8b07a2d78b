/**
 * A process with a plane: `plane-main.ts KIND PLACES SERVICES`, the latter two as JSON. Puts the
 * services, prints `ready`, and stays until it is killed.
 */
import type { PlaneKind } from '../../src/l4lb/plane.ts'
import type { Service } from '../../src/model/vip.ts'
import type { PlacePaths } from './network.ts'
import { openPlaneAt, reconcilePlane } from './open-plane.ts'

const [kind, paths = '', services = ''] = process.argv.slice(2)
const plane = await openPlaneAt(kind as PlaneKind, JSON.parse(paths) as PlacePaths)
await reconcilePlane(plane, JSON.parse(services) as Service[])
process.stdout.write('ready\n')
process.stdin.resume()
