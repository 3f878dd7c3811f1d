// Problems as they arrive and as the view takes them; the sentences live with the view, in each language, keyed by the code.
import type { Problem as WireProblem } from "../wire/parley/v1/signal_pb";
import { asProblemCode, type Problem } from "../view/model";
import { ProblemError } from "../words/problem";

export { ProblemError } from "../words/problem";

const codeForm = /^[a-z][a-z0-9-]{0,40}$/;

/** fromWire takes a problem of the node. A code or a parameter out of form is not shown: the node does not write our sentences. */
export function fromWire(p: WireProblem): ProblemError {
  const params: Record<string, string> = {};
  for (const [name, value] of Object.entries(p.params).slice(0, 16)) {
    if (codeForm.test(name)) params[name] = value.slice(0, 200);
  }
  return new ProblemError(codeForm.test(p.code) ? p.code : "internal", params);
}

/** asProblem keeps whatever carries a code in form (a device's refusal does) and turns anything else into "internal". */
export function asProblem(e: unknown): ProblemError {
  if (e instanceof ProblemError) return e;
  if (e instanceof Error && "code" in e && typeof e.code === "string" && asProblemCode(e.code) === e.code) return new ProblemError(e.code);
  return new ProblemError("internal", { at: e instanceof Error ? `${e.name} ${e.message}`.slice(0, 160) : "" });
}

/** shown is a problem as a page shows it. */
export function shown(e: unknown, at?: number): Problem {
  const p = asProblem(e);
  return { code: asProblemCode(p.code), params: p.params, ...(at === undefined ? {} : { at }) };
}
