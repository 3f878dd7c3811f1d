// Which rule each kind of act has. It dispatches only.
import type { DecodedAct } from "../../words/act";
import type { Step } from "./step";
import { commit, groupNew } from "./rules-group";
import { admit, close, consent, extend, resume } from "./rules-joint";
import { plan } from "./rules-plan";
import { join, leave, lost, revoke } from "./rules-presence";
import { newTerm, suspend } from "./rules-suspend";
import { mute, publish, unmute, withdraw } from "./rules-tracks";

export interface Rule {
  readonly run: (s: Step, a: DecodedAct) => void;
  /** Unilateral acts come by an outbox and by nothing else. */
  readonly unilateral: boolean;
}

const joint = (run: Rule["run"]): Rule => ({ run, unilateral: false });
const alone = (run: Rule["run"]): Rule => ({ run, unilateral: true });

const rules: ReadonlyMap<string, Rule> = new Map([
  ["plan", joint(plan)],
  ["consent", joint(consent)],
  ["admit", joint(admit)],
  ["join", joint(join)],
  ["leave", alone(leave)],
  ["lost", alone(lost)],
  ["publish", joint(publish)],
  ["withdraw", alone(withdraw)],
  ["mute", alone(mute)],
  ["unmute", joint(unmute)],
  ["suspend", alone(suspend)],
  ["resume", joint(resume)],
  ["close", joint(close)],
  ["extend", joint(extend)],
  ["revoke", alone(revoke)],
  ["group-new", joint(groupNew)],
  ["commit", joint(commit)],
  ["term", joint(newTerm)],
]);

export function ruleOf(kind: string): Rule | undefined {
  return rules.get(kind);
}

/** unilateral says whether acts of a kind go to the outbox of their own node. */
export function unilateral(kind: string): boolean {
  return rules.get(kind)?.unilateral ?? false;
}
