/**
 * Prints the bytes of live objects of a Node process in this network namespace, after a garbage
 * collection: `heap-main.ts PID`. Asks its inspector, which SIGUSR1 starts.
 */
import { setTimeout as sleep } from 'node:timers/promises'

const pid = Number(process.argv[2])
process.kill(pid, 'SIGUSR1')
const socket = new WebSocket(await debuggerUrl())
await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }))
await call('HeapProfiler.enable')
await call('HeapProfiler.collectGarbage')
const { usedSize } = (await call('Runtime.getHeapUsage')) as { usedSize: number }
process.stdout.write(`${usedSize}\n`)
socket.close()

async function debuggerUrl(): Promise<string> {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      const targets = await (await fetch('http://127.0.0.1:9229/json/list')).json()
      const [target] = targets as { webSocketDebuggerUrl: string }[]
      if (target !== undefined) return target.webSocketDebuggerUrl
    } catch {
      await sleep(20) // the inspector is starting
    }
  }
  throw new Error(`process ${pid} opened no inspector`)
}

function call(method: string): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  const id = Math.floor(Math.random() * 2 ** 31)
  const onMessage = (event: MessageEvent) => {
    const message = JSON.parse(String(event.data)) as { id?: number; result?: unknown }
    if (message.id !== id) return
    socket.removeEventListener('message', onMessage)
    resolve(message.result)
  }
  socket.addEventListener('message', onMessage)
  socket.send(JSON.stringify({ id, method }))
  return promise
}
