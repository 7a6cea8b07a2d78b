/** Facts without which numbers say nothing. */
import { cpus, loadavg, release, totalmem } from 'node:os'

/** The machine in a line, with the load that others put on it now. */
export function machineText(): string {
  const [processor] = cpus()
  const memoryGib = Math.round(totalmem() / 2 ** 30)
  return [
    `Linux ${release()}`,
    `${cpus().length} × ${processor?.model.trim() ?? 'unknown'}`,
    `${memoryGib} GiB`,
    `Node ${process.version}`,
    loadText(),
  ].join(', ')
}

/** The load average over the last minute, e.g. `load 2.31`. */
export function loadText(): string {
  return `load ${(loadavg()[0] ?? 0).toFixed(2)}`
}
