/** Tells a running demo to do something: `tell-main.ts SOCKET COMMAND ARGUMENT…`. */
import { connect } from 'node:net'
import type { ControlAnswer, ControlRequest } from './control.ts'

const [path = '', command = '', ...args] = process.argv.slice(2)
const socket = connect({ path })
let answer = ''
socket.on('data', (chunk) => (answer += chunk.toString()))
socket.once('error', () => tell({ isDone: false, text: 'the demo does not run any more' }))
socket.once('end', () =>
  tell(
    answer === ''
      ? { isDone: false, text: 'the demo has ended' }
      : (JSON.parse(answer) as ControlAnswer),
  ),
)
socket.write(`${JSON.stringify({ command, args } satisfies ControlRequest)}\n`)

function tell({ isDone, text }: ControlAnswer): void {
  process.stdout.write(`${text}\n`)
  process.exitCode = isDone ? 0 : 1
}
