/** What every implementation of IPVS does; the kernel's is the measure. */
import { beforeEach, describe, expect, onTestFinished, type TestContext, test } from 'vitest'
import {
  type Ipvs,
  type IpvsDestination,
  type IpvsOperation,
  type IpvsService,
  ipvsService,
  type ObservedIpvsService,
  textOfIpvsEndpoint,
  textOfIpvsKey,
} from '../../src/kernel/ipvs.ts'
import * as ipvs from './ipvs-cases.ts'

/** The empty IPVS of a network namespace. */
export interface OpenedIpvs {
  readonly ipvs: Ipvs
  close(): void | Promise<void>
}

/** Opens a fresh namespace for one test; may skip it. */
export type OpenIpvs = (ctx: TestContext) => Promise<OpenedIpvs>

/** A service with its destinations, as it was made. */
interface Made {
  readonly service: IpvsService
  readonly destinations: readonly IpvsDestination[]
}

/** Runs the suite. */
export function ipvsContract(title: string, open: OpenIpvs): void {
  describe(title, () => {
    let kernel: Ipvs
    beforeEach(async (ctx) => {
      const opened = await open(ctx)
      onTestFinished(() => opened.close())
      kernel = opened.ipvs
      expect(await kernel.observe()).toEqual([])
      expect(await answersTo(kernel, ipvs.PREPARATION)).toMatch(/^(OK ?)+$/)
    })

    test.each(ipvs.CASES)('$name: $answers', async ({ operations, answers }) => {
      const before = await madeOf(kernel)
      const results = await kernel.apply(operations)
      expect(results.map(({ name }) => name).join(' ')).toBe(answers)
      expect(results.map(({ applied }) => applied)).toEqual(results.map(({ errno }) => errno === 0))
      expect(await madeOf(kernel)).toEqual(expected(before, operations, answers.split(' ')))
    })

    test('services and destinations are observed as they were made, with nothing counted', async () => {
      const observed = await kernel.observe()
      expect(sorted(observed.map(asMade))).toEqual(
        sorted(
          ipvs.SERVICES.map((service) => ({
            service,
            destinations:
              service.key === ipvs.WEB
                ? [ipvs.ONE, ipvs.TWO]
                : service.key === ipvs.WEB6
                  ? [ipvs.SIX]
                  : [],
          })),
        ),
      )
      for (const { statistics, destinations } of observed) {
        expect(Object.values(statistics)).toEqual(Array(10).fill(0))
        for (const one of destinations) {
          expect(one).toMatchObject({
            activeConnections: 0,
            inactiveConnections: 0,
            persistentConnections: 0,
            statistics,
          })
        }
      }
    })

    test('every flag of a service is kept', async () => {
      const key = ipvs.keyOf('11.0.0.7', 80)
      const flags = [
        { isPersistent: true, isOnePacket: false, schedulerFlags: 0, persistenceSeconds: 1 },
        { isPersistent: false, isOnePacket: false, schedulerFlags: 4 },
        { isPersistent: false, isOnePacket: true, schedulerFlags: 7 },
        { isPersistent: false, isOnePacket: false, schedulerFlags: 0 },
      ]
      for (const [index, given] of flags.entries()) {
        const service = ipvsService({ key, scheduler: 'sh', ...given })
        const kind = index === 0 ? 'newService' : 'setService'
        expect(await answersTo(kernel, [{ kind, service }])).toBe('OK')
        const found = (await kernel.observe()).find((one) => sameKey(one, service))
        expect(found && asMade(found)).toEqual({ service, destinations: [] })
      }
    })

    test('refusals have a message, successes have none', async () => {
      const [refused, done] = await kernel.apply([
        { kind: 'deleteService', key: ipvs.keyOf('11.0.0.9', 80) },
        { kind: 'deleteService', key: ipvs.WEB },
      ])
      expect(refused).toMatchObject({ errno: 3, name: 'ESRCH', applied: false })
      expect(refused?.message).toMatch(/./)
      expect(done).toEqual({ errno: 0, name: 'OK', applied: true })
    })

    test('timeouts are those of TCP, FIN and UDP; what is not given stays', async () => {
      const before = await kernel.timeouts()
      expect(before).toEqual({ tcpSeconds: 900, tcpFinSeconds: 120, udpSeconds: 300 })
      await kernel.setTimeouts({ tcpSeconds: 7200, udpSeconds: 0 })
      expect(await kernel.timeouts()).toEqual({ ...before, tcpSeconds: 7200 })
      const endless = kernel.setTimeouts({ udpSeconds: 0xffff_ffff })
      await expect(endless).rejects.toMatchObject({ code: 'KERNEL_OPERATION_FAILED' })
      expect(await kernel.timeouts()).toEqual({ ...before, tcpSeconds: 7200 })
    })

    test('version and size are told', async () => {
      const information = await kernel.information()
      expect(information?.version).toBe('1.2.1')
      expect(information?.connectionTableSize).toBeGreaterThan(0)
    })

    test('nothing is no operation', async () => {
      expect(await kernel.apply([])).toEqual([])
    })

    test('a thousand services with three destinations come and go', async () => {
      const keys = Array.from({ length: 1000 }, (_, index) => ipvs.keyOf('11.0.1.1', index + 100))
      const destinations = [1, 2, 3].map((number) => ipvs.backend(`10.0.0.${number}`))
      const operations = keys.flatMap((key): IpvsOperation[] => [
        { kind: 'newService', service: ipvsService({ key, scheduler: 'wlc' }) },
        ...destinations.map((destination) => ipvs.add(key, destination)),
      ])
      expect(new Set((await answersTo(kernel, operations)).split(' '))).toEqual(new Set(['OK']))
      const observed = await kernel.observe()
      expect(observed).toHaveLength(1000 + ipvs.SERVICES.length)
      const ours = observed.filter(
        ({ key }) => key.kind === 'address' && key.address === '11.0.1.1',
      )
      expect(new Set(ours.map(({ key }) => textOfIpvsKey(key))).size).toBe(1000)
      for (const one of ours) expect(asMade(one).destinations).toEqual(destinations)
      await kernel.apply(keys.map((key) => ({ kind: 'deleteService', key })))
      expect(await kernel.observe()).toHaveLength(ipvs.SERVICES.length)
    })
  })
}

async function answersTo(kernel: Ipvs, operations: readonly IpvsOperation[]): Promise<string> {
  return (await kernel.apply(operations)).map(({ name }) => name).join(' ')
}

async function madeOf(kernel: Ipvs): Promise<readonly Made[]> {
  return sorted((await kernel.observe()).map(asMade))
}

function asMade(observed: ObservedIpvsService): Made {
  const { statistics: _, destinations, ...service } = observed
  return {
    service,
    destinations: byName(
      destinations.map(({ address, port, forwarding, weight, upperThreshold, lowerThreshold }) => ({
        address,
        port,
        forwarding,
        weight,
        upperThreshold,
        lowerThreshold,
      })),
    ),
  }
}

function byName(destinations: readonly IpvsDestination[]): readonly IpvsDestination[] {
  return destinations.toSorted((left, right) =>
    textOfIpvsEndpoint(left) < textOfIpvsEndpoint(right) ? -1 : 1,
  )
}

function sorted(made: readonly Made[]): readonly Made[] {
  return made.toSorted((left, right) =>
    textOfIpvsKey(left.service.key) < textOfIpvsKey(right.service.key) ? -1 : 1,
  )
}

function sameKey(left: IpvsService, right: IpvsService): boolean {
  return textOfIpvsKey(left.key) === textOfIpvsKey(right.key)
}

/** What is there after those operations that were answered with OK. */
function expected(
  before: readonly Made[],
  operations: readonly IpvsOperation[],
  answers: readonly string[],
): readonly Made[] {
  const made = new Map(before.map((one) => [textOfIpvsKey(one.service.key), one]))
  for (const operation of operations.filter((_, index) => answers[index] === 'OK')) {
    const key = textOfIpvsKey('service' in operation ? operation.service.key : operation.key)
    const after = madeAfter(made.get(key), operation)
    if (after === undefined) made.delete(key)
    else made.set(key, after)
  }
  return sorted([...made.values()])
}

/** A service after an operation on it. */
function madeAfter(held: Made | undefined, operation: IpvsOperation): Made | undefined {
  if ('service' in operation) return { destinations: [], ...held, service: operation.service }
  if (held === undefined || operation.kind === 'deleteService') return undefined
  const isSet = 'destination' in operation
  const name = textOfIpvsEndpoint(isSet ? operation.destination : operation.endpoint)
  const others = held.destinations.filter((one) => textOfIpvsEndpoint(one) !== name)
  return {
    ...held,
    destinations: isSet ? byName([...others, operation.destination]) : others,
  }
}
