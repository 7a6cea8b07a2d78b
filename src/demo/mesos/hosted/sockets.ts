/** Opens sockets in network namespaces without living there: a short process hands them over. */
import { spawn } from 'node:child_process'
import { Server } from 'node:net'
import { demoProgram } from '../../host/host-process.ts'

/**
 * Listens in a namespace.
 *
 * @param addresses e.g. `127.0.0.1:5051`
 * @returns the listening sockets, in this order
 */
export async function openSockets(
  namespacePath: string,
  addresses: readonly string[],
): Promise<readonly Server[]> {
  const program = demoProgram('mesos/hosted/sockets-main.ts', ...addresses)
  const child = spawn('nsenter', [`--net=${namespacePath}`, ...program], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const { promise, resolve, reject } = Promise.withResolvers<readonly Server[]>()
  const servers: Server[] = []
  child.on('message', (_, handle) => {
    if (handle instanceof Server) servers.push(handle)
  })
  child.once('error', reject)
  child.once('close', (code) => {
    if (servers.length === addresses.length) resolve(servers)
    else reject(new Error(`${namespacePath}: cannot listen on ${addresses}: exit ${code}`))
  })
  return promise
}
