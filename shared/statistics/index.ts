export * from './order-statistics.ts'
export * from './proportions.ts'
