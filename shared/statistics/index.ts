export * from './order-statistics.ts'
export * from './proportions.ts'
export * from './random-effects.ts'
export * from './signed-rank.ts'
