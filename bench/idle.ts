import type { Measure } from './settings.ts'
export const measureIdle: Measure = async () => []
