import type { Log } from '../base/log.ts'
import type { EngineEvent } from './engine/effects.ts'

/** What an operator wants to know of; what is frequent is only counted. */
const LINES: Partial<Record<EngineEvent['kind'], readonly ['info' | 'warn' | 'debug', string]>> = {
  joined: ['info', 'a member joined'],
  left: ['info', 'a member left'],
  doubted: ['info', 'a member is doubted'],
  refuted: ['info', 'a member is alive after all'],
  dead: ['warn', 'a member is dead'],
  evicted: ['info', 'a member does not come back, another node or an operator says'],
  forgotten: ['info', 'a member is forgotten'],
  'self-refuted': ['warn', 'another node doubted this one'],
  rejected: ['debug', 'a message was not believed'],
}

/** Logs an event of the engine. */
export function logEvent(log: Log, event: EngineEvent): void {
  if (event.kind === 'isolated') {
    if (event.isIsolated) log.error('cut off: every other member looks dead; keeps what it knows')
    else log.info('no longer cut off from the cluster')
    return
  }
  const line = LINES[event.kind]
  if (line === undefined) return
  const [level, message] = line
  const { kind: _, ...fields } = event
  log[level](message, fields)
}
