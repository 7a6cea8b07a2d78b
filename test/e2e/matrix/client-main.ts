/** A client: each line of standard input is a {@link Question}, each line of output its answer. */
import { createSocket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { clearTimeout, setTimeout } from 'node:timers'
import type { Question } from './client.ts'

const PATIENCE_MS = 3_000

process.stdout.write('ready\n')
for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line) as Question
  process.stdout.write(`${JSON.stringify(await answerTo(question))}\n`)
}

async function answerTo(question: Question): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const timer = setTimeout(() => resolve('no answer'), PATIENCE_MS)
  ask(question, resolve).catch((error: NodeJS.ErrnoException) =>
    resolve(error.code ?? error.message),
  )
  const answer = await promise
  clearTimeout(timer)
  return answer
}

async function ask(question: Question, answered: (text: string) => void): Promise<void> {
  const { host, port, family, protocol } = question
  const { address } = await lookup(host, { family })
  const fail = (error: NodeJS.ErrnoException) => answered(error.code ?? error.message)
  if (protocol === 'tcp') {
    const socket = connect({ host: address, port })
    let text = ''
    socket.on('data', (chunk) => (text += chunk.toString()))
    socket.once('end', () => answered(text.trim()))
    socket.once('error', fail)
    return
  }
  const socket = createSocket(family === 4 ? 'udp4' : 'udp6')
  socket.once('error', fail)
  socket.once('message', (text, sender) => {
    const isExpected = sender.address === address && sender.port === port
    answered(isExpected ? text.toString() : `${text} answers as ${sender.address}:${sender.port}`)
    socket.close()
  })
  socket.send('?', port, address)
}
