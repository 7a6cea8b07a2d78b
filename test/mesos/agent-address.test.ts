import { describe, expect, test } from 'vitest'
import { agentAddress } from '../../src/mesos/agent-address.ts'

const neverAsked = () => Promise.reject(new Error('the resolver was asked'))

function agent(hostname: unknown, pid?: string): string {
  return JSON.stringify({
    type: 'GET_AGENT',
    get_agent: { agent_info: { hostname, port: 5051 }, ...(pid === undefined ? {} : { pid }) },
  })
}

describe('agentAddress', () => {
  test.for([
    { name: 'a host name that is an address', text: agent('10.0.0.7'), expected: '10.0.0.7' },
    { name: 'an IPv6 host name', text: agent('FD00::7'), expected: 'fd00::7' },
    {
      name: 'the pid before the host name',
      text: agent('agent.example', 'slave(1)@10.0.0.8:5051'),
      expected: '10.0.0.8',
    },
  ])('takes $name without asking the resolver', async ({ text, expected }) => {
    expect(await agentAddress(text, neverAsked)).toBe(expected)
  })

  test.for([
    { found: ['10.0.0.7'], expected: '10.0.0.7' },
    { found: ['fd00::7', '10.0.0.7'], expected: '10.0.0.7' },
    { found: ['127.0.1.1', '::1', 'fd00::7'], expected: 'fd00::7' },
    { found: ['::1', '127.0.1.1'], expected: '127.0.1.1' },
    { found: ['junk', '10.0.0.9'], expected: '10.0.0.9' },
  ])('of $found takes $expected', async ({ found, expected }) => {
    expect(await agentAddress(agent('agent.example'), async () => found)).toBe(expected)
  })

  test('the wildcard in a pid is no address', async () => {
    expect(await agentAddress(agent('10.0.0.7', 'slave(1)@0.0.0.0:5051'), neverAsked)).toBe(
      '10.0.0.7',
    )
  })

  test.for([
    { name: 'a name that does not resolve', lookup: neverAsked },
    { name: 'a name without addresses', lookup: async () => [] },
  ])('$name is MESOS_UNREACHABLE with a hint', async ({ lookup }) => {
    await expect(agentAddress(agent('agent.example'), lookup)).rejects.toMatchObject({
      code: 'MESOS_UNREACHABLE',
      hint: expect.stringContaining('--agent-ip'),
    })
  })

  test.for([
    { name: 'another answer', text: '{"type":"GET_STATE","get_state":{}}' },
    { name: 'no host name', text: '{"type":"GET_AGENT","get_agent":{"agent_info":{}}}' },
    { name: 'a host name that is no text', text: agent(7) },
  ])('$name is MESOS_RESPONSE_INVALID', async ({ text }) => {
    await expect(agentAddress(text, neverAsked)).rejects.toMatchObject({
      code: 'MESOS_RESPONSE_INVALID',
    })
  })
})
