import { invariant } from '../../errors.ts'
import { ARRAY_OF, sizeOf, type Tensor } from '../../tensors.ts'
import { RuntimeError } from '../errors.ts'
import { orderedInputs } from '../input-check.ts'
import type { Pointer } from '../native/ffi.ts'
import { type ProfiledEvent, partTimesOf } from '../part-times.ts'
import type { LoadOptions, PartTime, Session, SessionDetails } from '../runtime.ts'
import { type Compiled, compile } from './compile.ts'
import { CANNOT_LOAD, openModelFile } from './model-file.ts'
import type { OpenvinoApi } from './openvino-api.ts'
import { type Port, portsOf } from './ports.ts'
import { profileOf } from './profile.ts'
import { refuseWide } from './wide-integers.ts'

const CANNOT_RUN = 'OpenVINO cannot run this model'

/** A tensor of ours that a request reads or writes. */
interface Bound {
  readonly shape: readonly number[]
  readonly at: Pointer
  readonly memory: Uint8Array
}

/** One infer request of a compiled model. Open dimensions take what comes. */
export class OpenvinoSession implements Session {
  readonly inputs: Session['inputs']
  readonly outputs: Session['outputs']
  readonly details: SessionDetails
  readonly #api: OpenvinoApi
  readonly #request: Pointer
  readonly #ports: { readonly inputs: readonly Port[]; readonly outputs: readonly Port[] }
  readonly #bound: { readonly inputs: Bound[]; readonly outputs: Bound[] }
  /** Wide integers lose their upper half on it. */
  readonly #narrow: boolean
  readonly #undo: (() => void)[]

  private constructor(
    api: OpenvinoApi,
    compiled: Compiled,
    request: Pointer,
    ports: { readonly inputs: readonly Port[]; readonly outputs: readonly Port[] },
    undo: (() => void)[],
  ) {
    this.#api = api
    this.details = compiled.details
    this.#narrow = compiled.onCpu
    this.#request = request
    this.#ports = ports
    this.#bound = { inputs: [], outputs: [] }
    this.inputs = ports.inputs.map(({ info }) => info)
    this.outputs = ports.outputs.map(({ info }) => info)
    this.#undo = undo
    undo.push(() => {
      for (const { at } of Object.values(this.#bound).flat()) api.call.freeTensor(at)
    })
    for (const [i, { index, info, fixed }] of ports.outputs.entries())
      if (fixed) this.#bound.outputs[i] = this.#bind(api.call.setOutput, index, info)
  }

  /** @throws RuntimeError */
  static async open(
    api: OpenvinoApi,
    bytes: Uint8Array,
    options: LoadOptions,
  ): Promise<OpenvinoSession> {
    refuseDelegates(options)
    const file = openModelFile(bytes, options)
    const undo: (() => void)[] = []
    try {
      const compiled = await compile(api, file, options)
      undo.push(() => api.call.freeCompiled(compiled.at))
      const ports = {
        inputs: portsOf(api, compiled.at, 'input', file.inputs),
        outputs: portsOf(api, compiled.at, 'output', file.outputs),
      }
      const request = api.made('not-loadable', CANNOT_LOAD, (out) =>
        api.call.createRequest(compiled.at, out),
      )
      undo.push(() => api.call.freeRequest(request))
      return new OpenvinoSession(api, compiled, request, ports, undo)
    } catch (error) {
      for (const step of undo.reverse()) step()
      throw error
    }
  }

  async run(inputs: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>> {
    invariant(this.#undo.length > 0, 'a closed model is not run')
    const given = orderedInputs(this.inputs, inputs)
    given.forEach((tensor, i) => {
      if (this.#narrow) refuseWide(this.inputs[i]?.name ?? '', tensor)
      this.#write(i, tensor)
    })
    this.#api.ok('run-failed', CANNOT_RUN, this.#api.call.infer(this.#request))
    return Object.fromEntries(
      this.#ports.outputs.map(({ info, index }, i) => {
        const bound = this.#bound.outputs[i]
        return [info.name, bound ? copyOf(info.type, bound) : this.#fetch(index)]
      }),
    )
  }

  /** Loaded with `profile`. @throws RuntimeError */
  async profile(
    inputs: Readonly<Record<string, Tensor>>,
    runs: number,
  ): Promise<readonly PartTime[]> {
    const events: ProfiledEvent[] = []
    for (let run = 0; run < runs; run += 1) {
      await this.run(inputs)
      events.push(...profileOf(this.#api, this.#request))
    }
    return partTimesOf(events, runs)
  }

  async close(): Promise<void> {
    for (const step of this.#undo.splice(0).reverse()) step()
  }

  #write(i: number, { type, shape, data }: Tensor): void {
    let bound = this.#bound.inputs[i]
    if (bound === undefined || !sameShape(bound.shape, shape)) {
      const port = this.#ports.inputs[i]
      invariant(port !== undefined, 'every input has a port')
      const before = bound
      bound = this.#bind(this.#api.call.setInput, port.index, { type, shape })
      this.#bound.inputs[i] = bound
      if (before) this.#api.call.freeTensor(before.at)
    }
    bound.memory.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  }

  /** A tensor of ours, in the request's place of that number. */
  #bind(
    set: (request: Pointer, index: number, tensor: Pointer) => number,
    index: number,
    { type, shape }: Pick<Tensor, 'type' | 'shape'>,
  ): Bound {
    const api = this.#api
    const at = api.createTensor('run-failed', type, shape)
    try {
      api.ok('run-failed', CANNOT_RUN, set(this.#request, index, at))
      return { shape, at, memory: api.memoryOf(at) }
    } catch (error) {
      api.call.freeTensor(at)
      throw error
    }
  }

  /** An output whose size the run has told. */
  #fetch(index: number): Tensor {
    const api = this.#api
    const at = api.made('run-failed', CANNOT_RUN, (out) =>
      api.call.outputTensor(this.#request, index, out),
    )
    try {
      const code = [0]
      api.ok('run-failed', CANNOT_RUN, api.call.tensorType(at, code))
      const type = api.elements.typeOf(Number(code[0]))
      if (type === undefined)
        throw new RuntimeError('run-failed', `an output is of OpenVINO's type ${code[0]}`)
      return copyOf(type, { shape: api.shapeOf(at), memory: api.memoryOf(at) })
    } finally {
      api.call.freeTensor(at)
    }
  }
}

/** Memory of the library must not be looked at after it is gone. */
function copyOf(type: Tensor['type'], { shape, memory }: Omit<Bound, 'at'>): Tensor {
  return { type, shape, data: new ARRAY_OF[type](memory.slice().buffer, 0, sizeOf(shape)) }
}

function sameShape(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((dim, axis) => dim === other[axis])
}

function refuseDelegates({ delegates = [] }: LoadOptions): void {
  const [first] = delegates
  if (first === undefined) return
  throw new RuntimeError(
    'delegate-failed',
    `OpenVINO takes no delegates such as ${first.path}: name a device of its own (CPU, GPU, NPU) instead, or a TensorFlow Lite library`,
    { path: first.path },
  )
}
