export * from './envelope.ts'
export * from './errors.ts'
export * from './keys.ts'
export * from './sign.ts'
