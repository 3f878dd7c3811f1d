import { create, fromBinary, toBinary, type DescField, type DescMessage } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { decodeMessage, encodeMessage } from "./codec";
import { file_parley_v1_signal, ToClientSchema } from "./parley/v1/signal_pb";
import { table } from "./signal-table";
import { wireTable } from "./table";

let seed = 7;
const next = (below: number) => (seed = (seed * 48271) % 0x7fffffff) % below;

const scalars: Record<string, () => unknown> = {
  bytes: () => Uint8Array.from({ length: next(40) }, () => next(256)), string: () => ["", "a", "ما", "𝄞 x".repeat(next(9))][next(4)],
  bool: () => next(2) === 1, uint32: () => [0, 1, 4294967295][next(3)], uint64: () => [0n, 300n, 18446744073709551615n][next(3)],
  int64: () => [0n, 1_800_000_000_000n, -1n, -9223372036854775808n][next(4)], float: () => [0, -0, 1.5, -127][next(4)],
}; // prettier-ignore
const names = ["", "double", "float", "int64", "uint64", "int32", "fixed64", "fixed32", "bool", "string", "group", "message", "bytes", "uint32"];

function any(f: DescField): unknown {
  const some = <T>(make: () => T) => Array.from({ length: next(4) }, make);
  if (f.fieldKind === "message") return random(f.message);
  if (f.fieldKind === "map") return Object.fromEntries(some(() => [`k${next(9)}`, scalars["string"]!()]));
  if (f.fieldKind === "list") return some(() => (f.listKind === "message" ? random(f.message) : scalars[names[f.scalar!]!]!()));
  return scalars[names[f.scalar!]!]!();
}

/** random is a message of a type with some of its fields, as a caller writes it. */
function random(m: DescMessage): Record<string, unknown> {
  const init: Record<string, unknown> = {};
  for (const member of m.members) {
    if (next(4) === 0) continue;
    if (member.kind !== "oneof") init[member.localName] = any(member);
    else {
      const chosen = member.fields[next(member.fields.length)]!;
      init[member.localName] = { case: chosen.localName, value: any(chosen) };
    }
  }
  return init;
}

/** plain takes away what only the library's messages carry. */
function plain(v: unknown): unknown {
  if (Array.isArray(v)) return v.map(plain);
  if (typeof v !== "object" || v === null || v instanceof Uint8Array) return v;
  return Object.fromEntries(Object.entries(v).flatMap(([k, x]) => (k === "$typeName" || k === "$unknown" ? [] : [[k, plain(x)]])));
}

test.each(file_parley_v1_signal.messages.map((m) => [m.name, m] as const))("%s has the library's bytes and the library's meaning", (name, m) => {
  for (let i = 0; i < 60; i++) {
    const init = random(m);
    const bytes = toBinary(m, create(m, init as never));
    expect(encodeMessage(name, init)).toEqual(bytes);
    expect(plain(decodeMessage(name, bytes))).toEqual(plain(fromBinary(m, bytes)));
  }
});

test("the table is the schema's; if it is not: make proto", () => {
  expect(table).toEqual(wireTable());
});

test("unknown fields are left out, and later ones win", () => {
  expect(decodeMessage("Ping", Uint8Array.of(0x08, 1, 0x7a, 2, 9, 9, 0x08, 2))).toEqual({ sent: 2n });
});

test.each([
  ["another wire type", "Ping", [0x0a, 1, 0]],
  ["a length beyond the frame", "Prove", [0x0a, 9, 0]],
  ["a message that ends before its field", "ToClient", [0x3a, 2, 0x0a, 1, 0]],
  ["text that is no text", "KeyFrame", [0x0a, 1, 0xff]],
  ["a group", "Ping", [0x7b]],
])("refused: %s", (_name, type, bytes) => {
  expect(() => decodeMessage(type, Uint8Array.from(bytes))).toThrow();
});

test("no name of a map reaches what every object has", () => {
  const bytes = encodeMessage("Problem", { code: "gap", params: JSON.parse('{"__proto__":"x","constructor":"y"}') });
  const { params } = decodeMessage("Problem", bytes) as { params: Record<string, string> };
  expect(Object.getPrototypeOf(params)).toBe(Object.prototype);
  expect(Object.entries(params)).toEqual([["__proto__", "x"], ["constructor", "y"]]);
});

test("bytes that were changed are refused, or read as something that can be written again", () => {
  for (let i = 0; i < 1500; i++) {
    const bytes = toBinary(ToClientSchema, create(ToClientSchema, random(ToClientSchema) as never));
    if (bytes.length > 0) bytes[next(bytes.length)]! ^= 1 << next(8);
    let read: unknown;
    try {
      read = decodeMessage("ToClient", bytes);
    } catch (e) {
      expect(e).toBeInstanceOf(Error);
      continue;
    }
    expect(decodeMessage("ToClient", encodeMessage("ToClient", read as object))).toEqual(read);
  }
});
