import { type Backend, formatEndpoint } from '../../model/vip.ts'

/**
 * Backends as text, sorted by endpoint: `10.0.0.1:80, 10.0.0.2:80 ×3, 10.0.0.3:80 draining`.
 */
export function renderBackends(backends: readonly Backend[]): string {
  return backends.map(renderBackend).sort().join(', ')
}

/** Slots as text: each endpoint with the number of slots that it has, as if that were its weight. */
export function renderSlots(slots: readonly Pick<Backend, 'address' | 'port'>[]): string {
  const backends = new Map<string, Backend>()
  for (const endpoint of slots) {
    const text = formatEndpoint(endpoint)
    backends.set(text, { ...endpoint, weight: (backends.get(text)?.weight ?? 0) + 1 })
  }
  return renderBackends([...backends.values()])
}

function renderBackend(backend: Backend): string {
  if (backend.weight === 0) return `${formatEndpoint(backend)} draining`
  return backend.weight === 1
    ? formatEndpoint(backend)
    : `${formatEndpoint(backend)} ×${backend.weight}`
}

const DAMAGED = 'damaged: '

/** The rendering of a service whose kernel objects contradict each other: equals no desired one. */
export function renderDamaged(reason: string): string {
  return `${DAMAGED}${reason}`
}

/** Whether {@link renderDamaged} made it. */
export function isDamaged(rendering: string): boolean {
  return rendering.startsWith(DAMAGED)
}
