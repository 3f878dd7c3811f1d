// Reads and writes the messages of proto/parley/v1/signal.proto from a table of their fields (signal-table.ts, which make proto
// writes of the generated descriptors). The library's own way builds the descriptors of descriptor.proto, then ours, when the page starts: some
// fifty milliseconds before the first word to the node, for what fits in one table. The bytes are read and written by the library.
//
// What arrives is the node's, and not trusted: a field of another wire type than its own, and one that does not end where it said, are refused;
// unknown fields are left out.
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Field } from "./field";
import { table } from "./signal-table";

type Fields = Readonly<Record<string, unknown>>;
type Scalar = "bytes" | "string" | "bool" | "uint32" | "uint64" | "int64" | "float";

const zero: Readonly<Record<Scalar, () => unknown>> = {
  bytes: () => new Uint8Array(0), string: () => "", bool: () => false, uint32: () => 0, uint64: () => 0n, int64: () => 0n, float: () => 0,
}; // prettier-ignore

const wireTypes: Readonly<Record<Scalar, WireType>> = {
  bytes: WireType.LengthDelimited, string: WireType.LengthDelimited, bool: WireType.Varint, uint32: WireType.Varint,
  uint64: WireType.Varint, int64: WireType.Varint, float: WireType.Bit32,
}; // prettier-ignore

const entryFields: readonly Field[] = [{ no: 1, name: "key", type: "string" }, { no: 2, name: "value", type: "string" }];

const isScalar = (type: string): type is Scalar => type in zero;

/** decodeMessage reads one message of a type; it throws on anything that is none. */
export function decodeMessage(type: string, bytes: Uint8Array): unknown {
  const reader = new BinaryReader(bytes);
  return readFields(reader, fieldsOf(type), bytes.length);
}

/** encodeMessage writes one message of a type; what is not given has its zero value. */
export function encodeMessage(type: string, message: object): Uint8Array {
  const writer = new BinaryWriter();
  writeFields(writer, fieldsOf(type), message as Fields);
  return writer.finish();
}

function fieldsOf(type: string): readonly Field[] {
  const fields = Object.hasOwn(table, type) ? table[type] : undefined;
  if (fields === undefined) throw new Error(`no message ${type}`);
  return fields;
}

function empty(fields: readonly Field[]): Record<string, unknown> {
  const message: Record<string, unknown> = {};
  for (const f of fields) {
    if (f.oneof !== undefined) message[f.oneof] = { case: undefined };
    else if (f.many === "list") message[f.name] = [];
    else if (f.many === "map") message[f.name] = {};
    else if (isScalar(f.type)) message[f.name] = zero[f.type]();
  }
  return message;
}

function readFields(reader: BinaryReader, fields: readonly Field[], length: number): Record<string, unknown> {
  const message = empty(fields);
  const end = reader.pos + length;
  if (end > reader.len) throw new Error("a message longer than its frame");
  while (reader.pos < end) {
    const [no, wireType] = reader.tag();
    const field = fields.find((f) => f.no === no);
    if (field === undefined) {
      reader.skip(wireType, no);
      continue;
    }
    if (wireType !== (isScalar(field.type) && field.many !== "map" ? wireTypes[field.type] : WireType.LengthDelimited)) throw new Error("another wire type");
    put(message, field, readValue(reader, field));
  }
  if (reader.pos !== end) throw new Error("a field beyond its message");
  return message;
}

function readValue(reader: BinaryReader, { type, many }: Field): unknown {
  if (many === "map") return readFields(reader, entryFields, reader.uint32());
  if (!isScalar(type)) return readFields(reader, fieldsOf(type), reader.uint32());
  switch (type) {
    case "string":
      return reader.string(true);
    default:
      return reader[type]();
  }
}

function put(message: Record<string, unknown>, { name, many, oneof }: Field, value: unknown): void {
  if (oneof !== undefined) message[oneof] = { case: name, value };
  else if (many === "list") (message[name] as unknown[]).push(value);
  else if (many === "map") {
    const { key, value: text } = value as { key: string; value: string };
    // Never by assignment: a key that is the name of an accessor would call it.
    Object.defineProperty(message[name], key, { value: text, enumerable: true, configurable: true, writable: true });
  } else message[name] = value;
}

function writeFields(writer: BinaryWriter, fields: readonly Field[], message: Fields): void {
  for (const f of fields) {
    const chosen = f.oneof === undefined ? undefined : (message[f.oneof] as { case?: string; value?: unknown } | undefined);
    const value = f.oneof === undefined ? message[f.name] : chosen?.case === f.name ? chosen.value : undefined;
    if (value === undefined || value === null) continue;
    if (f.many === "list") for (const one of value as readonly unknown[]) writeValue(writer, f, one);
    else if (f.many === "map") for (const [key, text] of Object.entries(value)) writeNested(writer, f.no, entryFields, { key, value: text });
    else if (!isScalar(f.type) || !isZero(f.type, value)) writeValue(writer, f, value);
  }
}

function writeValue(writer: BinaryWriter, { no, type }: Field, value: unknown): void {
  if (!isScalar(type)) return writeNested(writer, no, fieldsOf(type), value as Fields);
  writer.tag(no, wireTypes[type]);
  (writer[type] as (v: unknown) => BinaryWriter)(value);
}

function writeNested(writer: BinaryWriter, no: number, fields: readonly Field[], value: Fields): void {
  writer.tag(no, WireType.LengthDelimited).fork();
  // The key and the value of a map's entry are always written.
  if (fields === entryFields) writer.tag(1, WireType.LengthDelimited).string(value["key"] as string).tag(2, WireType.LengthDelimited).string(value["value"] as string);
  else writeFields(writer, fields, value);
  writer.join();
}

function isZero(type: Scalar, value: unknown): boolean {
  if (type === "bytes") return (value as Uint8Array).length === 0;
  return type === "float" ? Object.is(value, 0) : value === zero[type]();
}
