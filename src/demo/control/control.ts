/**
 * Lets scripts act on a running demo: a unix socket that takes one command per connection as a line
 * of JSON and answers with one. Commands run one after another, in the order in which they came.
 */
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Cluster } from '../cluster/cluster.ts'
import { demoProgram } from '../host/host-process.ts'
import type { DemoPlaces } from '../places/places.ts'
import { COMMANDS } from './commands.ts'

/** A command as a script sends it. */
export interface ControlRequest {
  readonly command: string
  readonly args: readonly string[]
}

/** What came of it. */
export interface ControlAnswer {
  readonly isDone: boolean
  readonly text: string
}

/** An open control. */
export interface Control {
  /** Takes no more commands and waits for the one that runs. */
  close(): Promise<void>
}

/** Opens the control of a demo and writes its scripts. */
export async function openControl(
  cluster: Cluster,
  places: DemoPlaces,
  print: (line: string) => void,
): Promise<Control> {
  const path = join(places.stateDirectory, 'control.sock')
  let last: Promise<unknown> = Promise.resolve()
  let isOpen = true
  const perform = async (line: string): Promise<ControlAnswer> => {
    if (!isOpen) return { isDone: false, text: 'the demo is ending' }
    const answer = await act(cluster, line)
    print(answer.isDone ? answer.text : `not done: ${answer.text}`)
    return answer
  }
  const server = createServer((socket) => {
    socket.unref()
    void readLine(socket).then((line) => {
      if (line === undefined) return
      last = last.then(async () => socket.end(`${JSON.stringify(await perform(line))}\n`))
    })
  })
  server.unref() // the hosts keep the demo alive
  server.listen(path)
  await once(server, 'listening')
  for (const { name } of COMMANDS) await writeScript(places, name, path)
  return {
    close: async () => {
      isOpen = false
      await last
      server.close()
    },
  }
}

async function act(cluster: Cluster, line: string): Promise<ControlAnswer> {
  try {
    const { command, args } = JSON.parse(line) as ControlRequest
    const known = COMMANDS.find(({ name }) => name === command)
    if (known === undefined) return { isDone: false, text: `there is no command '${command}'` }
    return { isDone: true, text: await known.run(cluster, args) }
  } catch (error) {
    return { isDone: false, text: error instanceof Error ? error.message : String(error) }
  }
}

/** The first line that a client sends; undefined when it goes without one. */
async function readLine(socket: Socket): Promise<string | undefined> {
  socket.on('error', () => undefined) // the client went away
  for await (const line of createInterface({ input: socket })) return line
  return undefined
}

async function writeScript(places: DemoPlaces, name: string, socket: string): Promise<void> {
  const command = [...demoProgram('control/tell-main.ts', socket, name)]
  const quoted = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
  const path = join(places.stateDirectory, name)
  await writeFile(path, `#!/bin/sh\nexec ${quoted} "$@"\n`, { mode: 0o755 })
}
