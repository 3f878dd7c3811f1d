// What goja runs in the place of files of ts-mls does what those do. (Whole groups: internal/mlsjs, where goja and Node share one.)
import { describe, expect, test } from "vitest";
import * as number from "ts-mls/codec/number.js";
import * as optional from "ts-mls/codec/optional.js";
import * as tls from "ts-mls/codec/tlsEncoder.js";
import * as variable from "ts-mls/codec/variableLength.js";
import * as names from "ts-mls/util/enumHelpers.js";
import * as leanNames from "./enumHelpers";
import * as leanNumber from "./number";
import * as leanOptional from "./optional";
import * as leanTls from "./tlsEncoder";
import * as leanVariable from "./variableLength";

const bytes = (n: number) => Uint8Array.from({ length: n }, (_, i) => i * 7);

describe("numbers", () => {
  test.each([0, 1, 63, 255])("%i in one byte", (n) => expect(leanNumber.encodeUint8(n)).toEqual(number.encodeUint8(n)));
  test.each([0, 255, 256, 65535])("%i in two", (n) => {
    expect(leanNumber.encodeUint16(n)).toEqual(number.encodeUint16(n));
    expect(leanNumber.decodeUint16(number.encodeUint16(n), 0)).toEqual([n, 2]);
  });
  test.each([0, 65536, 2 ** 31, 2 ** 32 - 1])("%i in four", (n) => {
    expect(leanNumber.encodeUint32(n)).toEqual(number.encodeUint32(n));
    expect(leanNumber.decodeUint32(number.encodeUint32(n), 0)).toEqual([n, 4]);
  });
  test.each([0n, 1n << 32n, (1n << 64n) - 1n])("%i in eight", (n) => {
    expect(leanNumber.encodeUint64(n)).toEqual(number.encodeUint64(n));
    expect(leanNumber.decodeUint64(number.encodeUint64(n), 0)).toEqual([n, 8]);
  });
  test("what is cut short does not decode", () => {
    for (const f of [leanNumber.decodeUint8, leanNumber.decodeUint16, leanNumber.decodeUint32, leanNumber.decodeUint64]) expect(f(new Uint8Array(0), 0)).toBeUndefined();
    expect(leanNumber.decodeUint16(bytes(2), 1)).toBeUndefined();
    expect(leanNumber.decodeUint32(bytes(4), 1)).toBeUndefined();
    expect(leanNumber.decodeUint64(bytes(8), 1)).toBeUndefined();
  });
});

describe("vectors", () => {
  test.each([0, 63, 64, 16383, 16384, 70000])("of %i bytes", (n) => {
    const b = leanTls.encode(leanVariable.varLenDataEncoder)(bytes(n));
    expect(b).toEqual(tls.encode(variable.varLenDataEncoder)(bytes(n)));
    expect(leanVariable.decodeVarLenData(b, 0)).toEqual(variable.decodeVarLenData(b, 0));
  });
  test("of vectors, between other fields, there or not", () => {
    const list = [bytes(3), bytes(100), bytes(0)];
    const lean = leanTls.composeBufferEncoders([leanNumber.uint16Encoder, leanVariable.varLenTypeEncoder(leanVariable.varLenDataEncoder), leanOptional.optionalEncoder(leanNumber.uint8Encoder)] as never);
    const theirs = tls.composeBufferEncoders([number.uint16Encoder, variable.varLenTypeEncoder(variable.varLenDataEncoder), optional.optionalEncoder(number.uint8Encoder)] as never);
    for (const last of [7, undefined]) {
      const b = leanTls.encode(lean)([513, list, last]);
      expect(b).toEqual(tls.encode(theirs as never)([513, list, last] as never));
      expect(leanVariable.decodeVarLenType(leanVariable.decodeVarLenData)(b, 2)?.[0]).toEqual(list);
      expect(leanOptional.decodeOptional(leanNumber.decodeUint8 as never)(b, b.length - (last === undefined ? 1 : 2))?.[0]).toEqual(last);
    }
  });
  test.each([[], [0x40], [0x80, 0, 0], [0xc0, 0, 0, 0, 0, 0, 0, 0], [3, 1, 2]])("%j is refused as there", (...b) => {
    const raw = Uint8Array.from(b);
    expect(() => variable.decodeVarLenData(raw, 0)).toThrow();
    expect(() => leanVariable.decodeVarLenData(raw, 0)).toThrow();
  });
});

test("names of numbers", () => {
  const table = { one: 1, two: 2 };
  for (const n of [1, 2, 3]) {
    expect(leanNames.enumNumberToKey(table)(n)).toBe(names.enumNumberToKey(table)(n as never));
    expect(leanNames.openEnumNumberToKey(table)(n)).toBe(names.openEnumNumberToKey(table)(n));
  }
  for (const s of ["one", "9"]) expect(leanNames.openEnumNumberEncoder(table)(s)).toBe(names.openEnumNumberEncoder(table as Record<string, number>)(s));
});
