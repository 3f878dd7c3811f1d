// A page in the hands of its own person: the socket is kept before the client runs, and the product's own words are there to make acts with
// the device's true key. Whatever the page's screen would never do is sent as bytes.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const web = new URL("../../../web/", import.meta.url);
const { build } = createRequire(fileURLToPath(new URL("package.json", web)))("esbuild");

/** keepSocket runs in the page before the client. */
export function keepSocket() {
  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    constructor(...args) {
      super(...args);
      window.__socket = this;
      window.__frames ??= [];
      this.addEventListener("message", (m) => window.__frames.push(m.data));
      this.addEventListener("close", (e) => (window.__closed = { code: e.code, reason: e.reason }));
    }
  };
}

/** arm brings the tools into a page: window.tools. Through the debugger, which no policy of the page binds. */
export async function arm(page) {
  const contents = `
    import { openCabinet } from "./src/identity/cabinet";
    import { openDevice } from "./src/identity/device";
    import { Author } from "./src/client/author";
    import { decodeFrame, encodeFrame } from "./src/client/frame";
    import { decodeEntry, decodeOutbox, decodeSigned, version, contextAct } from "./src/words/act";
    import { encode, decode } from "./src/words/canon";
    import { accreditation, contextRevocation, open } from "./src/words/ident";
    import * as bodies from "./src/words/body";
    import { equal, fromHex, hex } from "./src/words/bytes";
    export { openCabinet, openDevice, Author, decodeFrame, encodeFrame, decodeEntry, decodeOutbox, decodeSigned, version, contextAct, encode, decode, accreditation, contextRevocation, open, bodies, equal, fromHex, hex };`;
  const bundle = await build({ stdin: { contents, resolveDir: fileURLToPath(web), loader: "ts" }, bundle: true, format: "iife", globalName: "__words", write: false, target: "es2023" });
  await page.evaluate(`${bundle.outputFiles[0].text}; window.__words = __words;`);
  await page.evaluate(tools);
}

// Runs in the page.
async function tools() {
  const w = window.__words;
  const device = await w.openDevice(await w.openCabinet());
  let last = 1_000_000n; // far from the client's own numbers
  const answerTo = (id) => window.__frames.map((f) => w.decodeFrame(f)).find((f) => f.replyTo === id)?.body;
  const rest = () => new Promise((r) => setTimeout(r, 20));
  /** ask gives what a frame is answered with. A socket that was lost meanwhile (a machine with too much to do) is not an answer. */
  const ask = async (body) => {
    for (const end = Date.now() + 60_000; Date.now() < end; await rest()) {
      const socket = window.__socket;
      if (window.parley.facts().socket !== "open" || socket.readyState !== WebSocket.OPEN) continue;
      const id = ++last;
      socket.send(w.encodeFrame(id, body));
      for (; Date.now() < end; await rest()) {
        const answer = answerTo(id);
        if (answer !== undefined) return answer.case === "problem" ? answer.value.code : answer.case;
        if (window.__socket !== socket || socket.readyState !== WebSocket.OPEN) break;
      }
    }
    return "no answer";
  };
  /** log is what this node has told of a session: every act in order, who made it, what it says. */
  const log = (scope) => {
    const acts = new Map();
    for (const f of window.__frames) {
      const { body } = w.decodeFrame(f);
      if (body.case !== "entries" || w.hex(body.value.scope) !== scope) continue;
      for (const e of body.value.entries) {
        const entry = w.decodeEntry(e.entry);
        const signed = entry.from === "act" ? entry.item : w.decodeOutbox(entry.item).item.act;
        acts.set(entry.index, { index: entry.index, signed, ...w.decodeSigned(signed) });
      }
    }
    return [...acts.values()].sort((a, b) => a.index - b.index);
  };
  const submit = (scope, signed) => ask({ case: "submit", value: { scope: w.fromHex(scope), act: signed } });
  /** act makes an act with this device's true key; edit changes what stands in its envelope before it is signed. */
  const act = async (scope, side, kind, body, edit = {}) => {
    const bytes = w.encode({ v: w.version, scope: w.fromHex(scope), kind, side, key: device.publicKey, at: Date.now(), nonce: crypto.getRandomValues(new Uint8Array(16)), body: w.encode(body), ...edit });
    return w.encode({ act: bytes, sig: await device.sign(w.contextAct, bytes) });
  };
  window.tools = { w, device, ask, log, submit, act };
}
