import { expect, test } from "vitest";
import { Mids, quiet, sources } from "./mids";

const mid = "urn:ietf:params:rtp-hdrext:sdes:mid";
const section = (name: string, ...more: string[]) => ["m=audio 9 UDP/TLS/RTP/SAVPF 111", `a=mid:${name}`, "a=sendonly", ...more];
const described = (...lines: string[]) => ["v=0", ...lines, ""].join("\r\n");
const two = described("a=group:BUNDLE 0 1", ...section("0", "a=extmap:1 " + mid, "a=ssrc:7 cname:x"), ...section("1", "a=ssrc:8 cname:x"));

test("the browser's names are not the node's, and stay", () => {
  const m = new Mids();
  const hidden = m.hide(two);
  expect(hidden).not.toMatch(/a=mid:[01]\r\n/);
  expect(hidden.match(/a=mid:([0-9a-f]{16})\r\n/g)).toHaveLength(2);
  expect(hidden).toContain(`a=group:BUNDLE ${m.hidden("0")} ${m.hidden("1")}\r\n`);
  expect(m.hide(two)).toBe(hidden);
  expect(m.shown(m.hidden("1")!)).toBe("1");
});

test("every section has the extension for the browser and none for the node, whatever the node said of it", () => {
  const m = new Mids();
  const hidden = m.hide(two);
  expect(hidden.match(new RegExp(`a=extmap:14 ${mid}\r\n`, "g"))).toHaveLength(2);
  expect(m.show(hidden)).not.toContain(mid);
  expect(m.show(hidden)).toContain("a=mid:0\r\n");
  expect(m.show(hidden)).toContain("a=group:BUNDLE 0 1\r\n");
});

test("a number that is taken is not taken again", () => {
  expect(new Mids().hide(described("a=group:BUNDLE 0", ...section("0", "a=extmap:14 urn:x")))).toContain(`a=extmap:13 ${mid}`);
});

test.each([
  ["outside the bundle", described("a=group:BUNDLE 0", ...section("0"), ...section("1"))],
  ["without a bundle", described(...section("0"))],
  ["bundle-only and outside", described("a=group:BUNDLE 0", ...section("0"), "m=audio 0 UDP/TLS/RTP/SAVPF 111", "a=mid:1", "a=bundle-only")],
  ["two names", described("a=group:BUNDLE 0", ...section("0", "a=mid:1"))],
  ["no name", described("a=group:BUNDLE 0", "m=audio 9 UDP/TLS/RTP/SAVPF 111")],
  ["a strange name", described("a=group:BUNDLE 0 ", ...section("0 "))],
  ["a line in a line", described("a=group:BUNDLE 0", ...section("0\ra=mid:1"))],
  ["no number left", described("a=group:BUNDLE 0", ...section("0", ...Array.from({ length: 14 }, (_, i) => `a=extmap:${i + 1} urn:${i}`)))],
])("refused: %s", (_name, sdp) => {
  expect(() => new Mids().hide(sdp)).toThrow();
});

test("a section that changes its source can be told to be still", () => {
  expect(sources(two).get("1")).toBe("a=ssrc:8 cname:x");
  const still = quiet(two, new Set(["1"]));
  expect(still.match(/a=sendonly/g)).toHaveLength(1);
  expect(still.match(/a=inactive/g)).toHaveLength(1);
});
