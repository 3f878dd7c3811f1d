import { expect, test } from "vitest";
import { chosen, withoutLevels } from "./extensions";
import { codecName, preferred } from "./codecs";
import { codeOf } from "./devices";
import { constantRate } from "./sdp";
import { peak } from "./level";

const audio = ["m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0", "a=rtpmap:111 opus/48000/2"];
const video = ["m=video 9 UDP/TLS/RTP/SAVPF 98", "a=mid:1", "a=rtpmap:98 VP9/90000", "a=fmtp:98 profile-id=0", ""];

test.each([
  ["no format line", [...audio], "a=fmtp:111 cbr=1;usedtx=0;useinbandfec=1"],
  ["a node that asks for DTX", [...audio, "a=fmtp:111 minptime=10;usedtx=1;cbr=0"], "a=fmtp:111 minptime=10;usedtx=0;cbr=1;useinbandfec=1"],
  ["already right", [...audio, "a=fmtp:111 cbr=1;usedtx=0;useinbandfec=1"], "a=fmtp:111 cbr=1;usedtx=0;useinbandfec=1"],
])("constant rate: %s", (_name, section, want) => {
  const sdp = ["v=0", ...section, ...video].join("\r\n");
  const lines = constantRate(sdp).split("\r\n");
  expect(lines.filter((l) => l.startsWith("a=fmtp:111"))).toEqual([want]);
  expect(lines).toContain("a=fmtp:98 profile-id=0");
  expect(constantRate(constantRate(sdp))).toBe(constantRate(sdp));
});

test("every audio section is made constant", () => {
  const sdp = ["v=0", ...audio, ...audio, ...video].join("\r\n");
  expect(constantRate(sdp).match(/cbr=1/g)).toHaveLength(2);
});

test("the audio level does not leave the device", () => {
  const sdp = ["v=0", "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level", "a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:mid", ""].join("\r\n");
  expect(withoutLevels(sdp)).toBe(["v=0", "a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:mid", ""].join("\r\n"));
  const all = chosen([
    { uri: "urn:ietf:params:rtp-hdrext:ssrc-audio-level", direction: "sendrecv" },
    { uri: "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension", direction: "stopped" },
    { uri: "urn:ietf:params:rtp-hdrext:sdes:mid", direction: "sendrecv" },
  ]);
  expect(all.map((e) => e.direction)).toEqual(["stopped", "sendrecv", "sendrecv"]);
});

const codec = (mimeType: string, sdpFmtpLine?: string) => ({ mimeType, clockRate: 90000, ...(sdpFmtpLine === undefined ? {} : { sdpFmtpLine }) });

test("VP9 profile 0, then VP8, then repair; nothing else", () => {
  const all = [codec("video/VP8"), codec("video/rtx"), codec("video/H264"), codec("video/VP9", "profile-id=2"), codec("video/VP9", "profile-id=0"), codec("video/AV1")];
  expect(preferred("video", all).map((c) => c.mimeType)).toEqual(["video/VP9", "video/VP8", "video/rtx"]);
  expect(codecName("video", all)).toBe("vp9");
  expect(codecName("video", [codec("video/VP8")])).toBe("vp8");
  expect(codecName("audio", [])).toBe("opus");
});

test("a refusal is not a loss", () => {
  expect(codeOf(new DOMException("", "NotAllowedError"), "camera")).toBe("camera-refused");
  expect(codeOf(new DOMException("", "NotFoundError"), "microphone")).toBe("microphone-lost");
});

test("peak", () => {
  expect(peak(new Float32Array([0, -0.5, 0.25]))).toBe(0.5);
  expect(peak(new Float32Array(8))).toBe(0);
});
