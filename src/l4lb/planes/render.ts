import { type Backend, formatEndpoint } from '../../model/vip.ts'

/**
 * Backends as text, sorted by endpoint: `10.0.0.1:80, 10.0.0.2:80 ×3, 10.0.0.3:80 draining`.
 */
export function renderBackends(backends: readonly Backend[]): string {
  return backends.map(renderBackend).sort().join(', ')
}

function renderBackend(backend: Backend): string {
  if (backend.weight === 0) return `${formatEndpoint(backend)} draining`
  return backend.weight === 1
    ? formatEndpoint(backend)
    : `${formatEndpoint(backend)} ×${backend.weight}`
}

/** The rendering of a service whose kernel objects contradict each other: equals no desired one. */
export function renderDamaged(reason: string): string {
  return `damaged: ${reason}`
}
