// Who is right when members attest different groups. Pure: the words of all in, a verdict out. The rule and why it is safe against who
// wants either outcome stand in docs/states.md; internal/native/split.go is the same rule in Go.
import type { Attestation } from "./attestations";

export interface Voice {
  readonly join: string;
  /** Hex of the side's id. */
  readonly side: string;
  /** What it attests of this epoch, compared with one's own word; one's own agrees. */
  readonly says: Attestation;
  /** It was named before, or signed two things of one epoch. */
  readonly named: boolean;
}

export type Verdict =
  /** Nobody who counts attests otherwise. */
  | { readonly kind: "one" }
  /** Somebody attests otherwise, and not all have spoken: nothing is sent until they have, or their time is over. */
  | { readonly kind: "open" }
  /** These attest otherwise than all others: their media is cut, and the officers look. */
  | { readonly kind: "named"; readonly joins: readonly string[] }
  /** The group is split, or so many say so that nobody can tell who lies: nothing is sent. */
  | { readonly kind: "fork" };

/** judge: overdue says that members have had their time to speak. */
export function judge(voices: readonly Voice[], overdue: boolean): Verdict {
  const bad = voices.filter((v) => v.named || v.says === "differs");
  if (bad.length === 0) return { kind: "one" };
  for (const side of new Set(bad.map((v) => v.side))) {
    const all = voices.filter((v) => v.side === side).length;
    const ofSide = bad.filter((v) => v.side === side).length;
    if (ofSide === all || (ofSide > 1 && 2 * ofSide >= all)) return { kind: "fork" };
  }
  const fresh = bad.filter((v) => !v.named);
  if (fresh.length === 0) return { kind: "one" };
  const agree = voices.filter((v) => !v.named && v.says === "agrees");
  const awaited = voices.length - bad.length - agree.length;
  const most = 2 * agree.length > voices.length && [...new Set(voices.map((v) => v.side))].every((s) => agree.some((v) => v.side === s));
  // Whoever is still awaited may yet turn the count either way.
  if (awaited > 0 && !overdue) return 2 * (agree.length + awaited) > voices.length ? { kind: "open" } : { kind: "fork" };
  return most ? { kind: "named", joins: fresh.map((v) => v.join) } : { kind: "fork" };
}
