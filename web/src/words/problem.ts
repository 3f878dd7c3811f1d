// What a person may be told went wrong: a stable code (internal/problem/codes.go) with parameters. The sentences live with the view.

export class ProblemError extends Error {
  readonly code: string;
  readonly params: Readonly<Record<string, string>>;

  constructor(code: string, params: Record<string, string> = {}) {
    super(code);
    this.code = code;
    this.params = Object.freeze({ ...params });
  }
}

/** problem makes a ProblemError: `throw problem("not-yours")`. */
export function problem(code: string, params: Record<string, string> = {}): ProblemError {
  return new ProblemError(code, params);
}
