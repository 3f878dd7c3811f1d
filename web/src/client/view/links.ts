// The links to other sides, as the node reports them. A report is shown as a report: what keys a session trusts stands in its plan.
import { hex } from "../../words/bytes";
import type { LinkView, Text } from "../../view/model";
import { asProblemCode } from "../../view/model";
import type { Link } from "../../wire/parley/v1/signal_pb";

const longestName = 200;

/** linkView; officers gives the name for the short name of the officer who verified. */
export function linkView(l: Link, officers: ReadonlyMap<string, Text>): LinkView {
  const state = l.state === "up" || l.state === "down" ? l.state : "never";
  return {
    side: { id: hex(l.side), name: textOf(l.name), own: false },
    state,
    since: l.since === 0n ? null : Number(l.since),
    roundTripMs: state === "up" && l.rttUs > 0n ? Math.max(1, Math.round(Number(l.rttUs) / 1000)) : null,
    verified: {
      kind: l.verified === "in-person" || l.verified === "demonstration" ? l.verified : "none",
      at: l.verifiedAt === 0n ? null : Number(l.verifiedAt),
      by: l.verifiedBy === "" ? null : (Object.values(officers.get(l.verifiedBy) ?? {})[0] ?? l.verifiedBy.slice(0, longestName)),
    },
    problem: l.problem === "" ? null : { code: asProblemCode(l.problem) },
  };
}

/** textOf bounds a map of texts that came from outside. */
export function textOf(map: Readonly<Record<string, string>>): Text {
  const out: Record<string, string> = {};
  for (const [tag, text] of Object.entries(map).slice(0, 16)) if (/^[A-Za-z0-9-]{2,16}$/.test(tag)) out[tag] = text.slice(0, longestName);
  return out;
}
