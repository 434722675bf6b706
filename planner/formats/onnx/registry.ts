import { create, createFileRegistry, type DescMessage } from '@bufbuild/protobuf'
import {
  type DescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from '@bufbuild/protobuf/wkt'
import { invariant } from '../../../shared/errors.ts'
import { MESSAGES, type MessageName } from './schema.ts'

const SCALARS: Readonly<Record<string, Type>> = {
  int32: Type.INT32,
  int64: Type.INT64,
  uint64: Type.UINT64,
  float: Type.FLOAT,
  double: Type.DOUBLE,
  string: Type.STRING,
  bytes: Type.BYTES,
}

const FIELD = /^(\w+):(\w+)(\[packed\]|\[\])?=(\d+)(?:\|(\w+))?$/

/** Names become snake_case in the descriptor, and protobuf-es gives the camelCase back. */
function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function fieldOf(row: string, oneofs: string[]) {
  const [, name, type, repeated, number, oneof] = FIELD.exec(row) ?? []
  invariant(name && type && number, `schema row "${row}" is readable`)
  if (oneof && !oneofs.includes(oneof)) oneofs.push(oneof)
  const scalar = SCALARS[type]
  return {
    name: snakeCase(name),
    number: Number(number),
    label: repeated ? Label.REPEATED : Label.OPTIONAL,
    type: scalar ?? Type.MESSAGE,
    ...(scalar === undefined ? { typeName: `.onnx.${type}` } : {}),
    ...(oneof ? { oneofIndex: oneofs.indexOf(oneof) } : {}),
    ...(repeated === '[packed]' ? { options: { packed: true } } : {}),
  }
}

function messageOf(name: string, rows: string): Pick<DescriptorProto, 'name'> {
  const oneofs: string[] = []
  const field = rows.split(' ').map((row) => fieldOf(row, oneofs))
  const oneofDecl = oneofs.map((oneof) => ({ name: oneof }))
  return { name, field, oneofDecl } as Pick<DescriptorProto, 'name'>
}

const file = create(FileDescriptorProtoSchema, {
  name: 'onnx.proto',
  package: 'onnx',
  syntax: 'proto2',
  messageType: Object.entries(MESSAGES).map(([name, rows]) => messageOf(name, rows)),
})
const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] }))

export function messageType(name: MessageName): DescMessage {
  const found = registry.getMessage(`onnx.${name}`)
  invariant(found, `ONNX message ${name} is registered`)
  return found
}
