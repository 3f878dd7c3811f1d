// The MLS group as the log orders it (internal/session/rules_group.go). The engine never parses MLS bytes; its claims about leaves
// are what every client enforces against the real commit.
import type { DecodedAct } from "../../words/act";
import { commitBody, groupNewBody } from "../../words/body";
import { empty, equal } from "../../words/bytes";
import { problem } from "../../words/problem";
import { maxCommit, maxGroups } from "./limits";
import { leafOf, linkLost, memberByJoin, pendingRemoves, phase } from "./model";
import type { Step } from "./step";

/** groupNew founds a group when no live member holds one. */
export function groupNew(s: Step, a: DecodedAct): void {
  const b = s.body(groupNewBody, a);
  s.running();
  const j = s.author(a);
  const m = s.model;
  if (b.group.length !== 32) throw problem("malformed", { what: "group" });
  if (!equal(b.join, j.join)) throw problem("not-yours");
  if (m.group.leaves.some((l) => memberByJoin(m, l)?.state === "live")) throw problem("already-done");
  if (m.groups.some((id) => equal(id, b.group))) throw problem("replayed");
  if (s.sideOf(a).groups >= maxGroups) throw problem("too-many", { what: "groups" });
  m.groups.push(b.group);
  s.sideOf(a).groups++;
  m.group = { id: b.group, epoch: 0, founder: j.join, leaves: [j.join] };
  j.keypackage = empty;
  j.since = 0;
  s.effect({ kind: "group", act: a.id, side: a.act.side, join: j.join });
}

/** commit moves the group to its next epoch. It must remove everybody who has to go. */
export function commit(s: Step, a: DecodedAct): void {
  const b = s.body(commitBody, a);
  s.inForce();
  const m = s.model;
  if (linkLost(m) || (phase(m) === "suspended" && b.adds.length > 0)) throw problem("session-suspended");
  const j = s.author(a);
  if (m.group.id.length === 0 || !equal(b.group, m.group.id) || b.epoch !== m.group.epoch) throw problem("stale-epoch");
  if (leafOf(m, j.join) < 0) throw problem("not-committer");
  const sized = b.message.length > 0 && b.message.length <= maxCommit && b.welcome.length <= maxCommit;
  if (!sized || b.adds.length > 0 !== b.welcome.length > 0) throw problem("commit-claims");
  removeLeaves(s, b.removes);
  addLeaves(s, b.adds);
  m.group.epoch++;
  s.effect({ kind: "epoch", act: a.id, side: a.act.side, join: j.join });
}

/** removeLeaves blanks the removed leaves and truncates the tree (RFC 9420 §7.8, §12.1.3). */
function removeLeaves(s: Step, removes: number[]): void {
  const pending = pendingRemoves(s.model);
  removes.forEach((leaf, i) => {
    if (i > 0 && leaf <= removes[i - 1]!) throw problem("commit-claims", { what: "order" });
    if (!pending.some((p) => p.leaf === leaf)) throw problem("commit-claims", { what: "removes" });
  });
  if (pending.some((p) => p.must && !removes.includes(p.leaf))) throw problem("stale-epoch", { what: "removes" });
  const leaves = s.model.group.leaves;
  for (const leaf of removes) leaves[leaf] = empty;
  while (leaves.length > 0 && leaves[leaves.length - 1]!.length === 0) leaves.pop();
}

/** addLeaves gives each added member the leftmost blank leaf, or a new one at the right (RFC 9420 §12.1.1, §7.7). */
function addLeaves(s: Step, adds: Uint8Array[]): void {
  const m = s.model;
  for (const join of adds) {
    const j = memberByJoin(m, join);
    if (j === undefined || j.state !== "live" || leafOf(m, join) >= 0) throw problem("commit-claims", { what: "adds" });
    const free = m.group.leaves.findIndex((l) => l.length === 0);
    if (free >= 0) m.group.leaves[free] = j.join;
    else m.group.leaves.push(j.join);
    j.keypackage = empty;
    j.since = m.group.epoch + 1;
  }
}
