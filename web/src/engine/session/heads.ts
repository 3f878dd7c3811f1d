// Node signatures over heads (internal/session/heads.go).
import { contextHead, message, type NodeSig } from "../../words/act";
import { equal } from "../../words/bytes";
import { inForce } from "../../words/ident";
import { problem } from "../../words/problem";
import type { Check } from "./check";
import { maxSides } from "./limits";
import { sideById, type Model } from "./model";

/** hasSig says whether a side's signature is among sigs. It verifies nothing. */
export function hasSig(sigs: readonly NodeSig[], side: Uint8Array): boolean {
  return sigs.some((s) => equal(s.side, side));
}

export function checksOfHead(m: Model, head: Uint8Array, sigs: readonly NodeSig[], at: number): Check[] {
  if (sigs.length > maxSides) throw problem("too-many", { what: "signatures" });
  return sigs.map((sig, i) => {
    const side = sideById(m, sig.side);
    if (side === undefined || sig.sig.length !== 64 || hasSig(sigs.slice(0, i), sig.side)) {
      throw problem("bad-signature", { what: "head" });
    }
    inForce(side.from, side.until, at);
    return {
      alg: "ed25519",
      key: side.node,
      message: message(contextHead, head),
      signature: sig.sig,
      what: "head",
      code: "bad-signature",
    };
  });
}
