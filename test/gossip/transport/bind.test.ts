import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { closeAll, LOOPBACK, startTransport } from './running-transport.ts'

afterEach(closeAll)

test('both channels listen on one port of the kernel’s choice', async () => {
  const transports = await Promise.all(Array.from({ length: 20 }, (_, n) => startTransport(n)))
  expect(new Set(transports.map(({ endpoint }) => endpoint.port)).size).toBe(20)
  for (const { endpoint } of transports) {
    expect(endpoint.port).toBeGreaterThan(0)
    await expect(startTransport(50, { listen: endpoint })).rejects.toMatchObject({
      code: 'GOSSIP_BIND_FAILED',
    })
  }
})

test('a port whose TCP is taken is an error, and leaves UDP free', async () => {
  const server = createServer()
  server.listen(0, LOOPBACK)
  await once(server, 'listening')
  const listen = { address: LOOPBACK, port: (server.address() as AddressInfo).port }
  await expect(startTransport(1, { listen })).rejects.toMatchObject({
    code: 'GOSSIP_BIND_FAILED',
    message: expect.stringContaining(`port ${listen.port}`),
  })
  server.close()
  await once(server, 'close')
  expect((await startTransport(1, { listen })).endpoint).toEqual(listen)
})
