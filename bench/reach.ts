import type { Measure } from './settings.ts'
export const measureReach: Measure = async () => []
