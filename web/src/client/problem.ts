// Problems as codes with parameters; the sentences live with the view, in each language, keyed by the code.
import type { Problem as WireProblem } from "../wire/parley/v1/signal_pb";

/** ProblemError is a refusal that a person may see. Codes: internal/problem/codes.go. */
export class ProblemError extends Error {
  readonly code: string;
  readonly params: Readonly<Record<string, string>>;

  constructor(code: string, params: Record<string, string> = {}) {
    super(code);
    this.code = code;
    this.params = Object.freeze({ ...params });
  }
}

const codeForm = /^[a-z][a-z0-9-]{0,40}$/;

/** fromWire takes a problem of the node. A code or a parameter out of form is not shown: the node does not write our sentences. */
export function fromWire(p: WireProblem): ProblemError {
  const params: Record<string, string> = {};
  for (const [name, value] of Object.entries(p.params).slice(0, 16)) {
    if (codeForm.test(name)) params[name] = value.slice(0, 200);
  }
  return new ProblemError(codeForm.test(p.code) ? p.code : "internal", params);
}

/** asProblem keeps a problem and turns anything else into "internal". */
export function asProblem(e: unknown): ProblemError {
  return e instanceof ProblemError ? e : new ProblemError("internal", { at: e instanceof Error ? e.message.slice(0, 120) : "" });
}
