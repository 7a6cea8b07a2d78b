/** The engine that is simulated: the one that daemons run, unchanged. */
import { Engine } from '../../src/gossip/engine/engine.ts'
import type { OpenEngine } from './seam.ts'

/** Makes a real engine. */
export const openRealEngine: OpenEngine = (options) => new Engine(options)
