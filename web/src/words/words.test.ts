import { readFileSync } from "node:fs";
import { ml_dsa65 } from "@noble/post-quantum/ml-dsa.js";
import { ed25519 } from "@noble/curves/ed25519.js";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { describe, expect, it } from "vitest";
import { fromHex, hex } from "./bytes";
import { decode, encode, message } from "./canon";
import { deviceWords, linkFingerprint, pairWords } from "./fingerprint";
import { bytes, bool, int, list, struct, text, texts } from "./schema";
import { isText } from "./text";

const sample = struct({ v: int, longer: text, b: bytes, l: list(bytes), m: texts, yes: bool, n: int });

describe("canonical bytes", () => {
  const full = "a7616242010261" + "6c8240410361" + "6da2616161626265" + "6e6161616e24617601637965" + "73f5666c6f6e6765726178";
  it("are those of Go (internal/canon/canon_test.go)", () => {
    const v = { v: 1, longer: "x", b: new Uint8Array([1, 2]), l: [new Uint8Array(0), new Uint8Array([3])], m: { en: "a", a: "b" }, yes: true, n: -5 };
    expect(hex(encode(v))).toBe(full);
    expect(decode(sample, fromHex(full))).toEqual(v);
  });
  const one = struct({ a: int });
  it.each([
    ["longer form of a number", "a161611801"],
    ["longer form of a length", "a178016101"],
    ["longer form of a map head", "b801616101"],
    ["indefinite map", "bf616101ff"],
    ["two keys alike", "a2616101616101"],
    ["a field that is not known", "a2616101616201"],
    ["a field missing", "a0"],
    ["a tag", "a16161c101"],
    ["a float", "a16161f93c00"],
    ["a big float", "a16161fb3ff0000000000000"],
    ["null", "a16161f6"],
    ["undefined", "a16161f7"],
    ["another case of the key", "a1614101"],
    ["a byte too many", "a16161010a"],
    ["a byte after the end", "a161610100"],
    ["nothing", ""],
    ["a number beyond 64 bits", "a16161c249010000000000000000"],
    ["a number that JavaScript does not hold", "a161611b0020000000000000"],
    ["key as bytes", "a1416101"],
    ["text instead of the number", "a161616131"],
    ["a list instead of a map", "826161" + "01"],
  ])("refuse %s", (_, b) => {
    expect(() => decode(one, fromHex(b))).toThrow();
  });
  it("refuse text that is not UTF-8, and keys out of order", () => {
    const m = struct({ m: texts });
    expect(() => decode(m, fromHex("a1616da16161" + "62c328"))).toThrow();
    expect(() => decode(m, fromHex("a1616da261626161" + "61616161"))).toThrow();
    expect(decode(m, fromHex("a1616da261616161" + "61626161"))).toEqual({ m: { a: "a", b: "a" } });
  });
  it("reach no prototype", () => {
    const m = struct({ m: texts });
    const v = decode(m, encode({ m: new Map([["__proto__", "x"]]) }));
    expect(Object.keys(v.m)).toEqual(["__proto__"]);
    expect(({} as { x?: string }).x).toBeUndefined();
  });
  it.each([[1.5], [Number.NaN], [2 ** 53], [undefined], [null], [-0], [10n]])("are not made of %s", (v) => {
    expect(() => encode({ v })).toThrow();
  });
});

describe("text", () => {
  it.each([
    ["Ada Lovelace", true], ["وزيرة الخارجية", true], ["José", true], ["李明", true], ["Ж. О’Нил", true],
    ["", false], ["x".repeat(200), true], ["x".repeat(201), false], ["é".repeat(101), false], [" Ada", false], ["Ada ", false],
    ["A\nB", false], ["A\u0085B", false], ["A\u200bB", false], ["A\u202eB", false], ["A\u2066B", false], ["A\u061cB", false],
    ["\ufeffA", false], ["A\u3164B", false], ["A\u{e0041}B", false], ["A\ufe0fB", false], ["A\u00a0B", false], ["A\ud800B", false],
  ] as [string, boolean][])("%j", (s, good) => expect(isText(s, 200)).toBe(good)); // prettier-ignore
});

describe("what people compare", () => {
  it("is from the list that Go holds", () => {
    const held = readFileSync(new URL("../../../internal/ident/words.txt", import.meta.url), "utf8");
    expect(wordlist.join("\n") + "\n").toBe(held);
  });
  it("is what Go shows (internal/ident/ident_test.go)", () => {
    const seed = (n: number): Uint8Array => new Uint8Array(32).fill(n);
    const key = { v: 1, ed25519: ed25519.getPublicKey(seed(1)), mldsa65: ml_dsa65.keygen(seed(1)).publicKey };
    const f = linkFingerprint(key, ed25519.getPublicKey(seed(2)));
    expect(f.digits).toBe("52550 10549 99427 47323 24371 39969 63162 81006");
    expect(f.words.join(" ")).toBe("member fire book tourist cloth click");
    expect(deviceWords(ed25519.getPublicKey(seed(3))).join(" ")).toBe("nasty stomach urge grunt sample real");
  });
  it("is the same for both of two sides", () => {
    const [a, b] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    expect(pairWords(a, b).join(" ")).toBe("dance faculty utility around entry labor");
    expect(pairWords(b, a)).toEqual(pairWords(a, b));
  });
  it("is bound to its purpose", () => {
    expect(hex(message("a", new Uint8Array([0x62, 0x63])))).not.toBe(hex(message("ab", new Uint8Array([0x63]))));
  });
});
