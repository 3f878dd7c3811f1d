// Makes the table of fields that codec.ts reads (signal-table.ts) of the generated descriptors: `make proto` writes it (build-wire.mjs), a test
// compares it. Never in the page. What the codec could not carry in a schema to come ends here.
import { ScalarType, type DescField } from '@bufbuild/protobuf';
import type { Field, Table } from './field.ts';
import { file_parley_v1_signal } from './parley/v1/signal_pb.ts';

const scalars = new Map<ScalarType, string>([
  [ScalarType.BYTES, 'bytes'], [ScalarType.STRING, 'string'], [ScalarType.BOOL, 'bool'], [ScalarType.UINT32, 'uint32'],
  [ScalarType.UINT64, 'uint64'], [ScalarType.INT64, 'int64'], [ScalarType.FLOAT, 'float'],
]); // prettier-ignore

export function wireTable(): Table {
  const { messages } = file_parley_v1_signal; // those of the file itself: a map's entries are nested
  return Object.fromEntries(messages.map((m) => [m.name, [...m.fields].sort((a, b) => a.number - b.number).map(fieldOf)]));
}

function fieldOf(f: DescField): Field {
  const field = { no: f.number, name: f.localName, ...(f.oneof === undefined ? {} : { oneof: f.oneof.localName }) };
  if (f.fieldKind === 'map' && f.mapKey === ScalarType.STRING && f.mapKind === 'scalar' && f.scalar === ScalarType.STRING) return { ...field, type: 'string', many: 'map' };
  if (f.fieldKind === 'message') return { ...field, type: f.message.name };
  if (f.fieldKind === 'list' && f.listKind === 'message') return { ...field, type: f.message.name, many: 'list' };
  // A list of numbers may be packed, which the codec does not read.
  if (f.fieldKind === 'list' && f.listKind === 'scalar' && (f.scalar === ScalarType.BYTES || f.scalar === ScalarType.STRING)) return { ...field, type: scalars.get(f.scalar)!, many: 'list' };
  const type = f.fieldKind === 'scalar' ? scalars.get(f.scalar) : undefined;
  if (type === undefined) throw new Error(`src/wire/codec.ts cannot carry ${f.toString()}`);
  return { ...field, type };
}

/** tableSource is signal-table.ts. */
export function tableSource(): string {
  const messages = Object.entries(wireTable()).map(([name, fields]) => `  ${name}: [\n${fields.map((f) => `    ${JSON.stringify(f)},\n`).join('')}  ],\n`);
  return `// Written by build-wire.mjs of proto/parley/v1/signal.proto (make proto). Do not edit.\nimport type { Table } from "./field";\n\nexport const table: Table = {\n${messages.join('')}};\n`;
}
