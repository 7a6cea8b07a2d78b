/** A backend: answers HTTP with its name on all addresses. `--port 8080 --name web-1` */
import { createServer } from 'node:http'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { port: { type: 'string' }, name: { type: 'string' } } })
const server = createServer((request, response) => {
  const client = request.socket.remoteAddress ?? ''
  response.setHeader('x-backend', values.name ?? '')
  response.end(`hello from ${values.name}, you are ${client}\n`)
})
server.keepAliveTimeout = 60_000
server.listen({ port: Number(values.port), host: '::' }, () => {
  process.stdout.write(`ready ${values.name}\n`)
})
