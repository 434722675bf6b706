/** What of an engine its name is made of. */
interface Named {
  readonly delegates?: readonly { readonly name: string }[] | undefined
  readonly device?: string | null | undefined
}

/** By what an order names it, beside its runtime: its device, or else the first delegate; null for the processor alone. */
export function acceleratorOf({ delegates, device }: Named): string | null {
  return device ?? delegates?.[0]?.name ?? null
}

/** `tflite+vx` */
export function engineName(runtime: string, accelerator: string | null | undefined): string {
  return accelerator == null ? runtime : `${runtime}+${accelerator}`
}

/** `tflite with vx` */
export function engineWords(runtime: string, accelerator: string | null | undefined): string {
  return accelerator == null ? runtime : `${runtime} with ${accelerator}`
}
