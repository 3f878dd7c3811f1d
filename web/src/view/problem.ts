// The codes of internal/problem/codes.go, in its order. A test reads the Go file and fails on any difference; the type makes
// every language carry sentences for each of them.
export const problemCodes = [
  'internal',
  'malformed', 'too-large', 'out-of-order', 'wrong-version', 'too-many', 'bad-signature', 'unknown-session', 'clock-off',
  'classical-only', 'browser-too-old', 'client-different',
  'not-accredited', 'accreditation-expired', 'accreditation-early', 'accreditation-foreign', 'accreditation-altered',
  'accreditation-revoked', 'accreditation-device', 'enrolment-declined', 'not-officer', 'not-seated', 'not-joined',
  'replaced-by-other-device',
  'replayed', 'not-yours', 'not-in-force', 'already-done', 'no-such-proposal', 'proposal-lapsed', 'no-such-track', 'session-suspended',
  'session-closed', 'time-over', 'stale-epoch', 'commit-claims', 'plan-invalid', 'not-committer',
  'link-lost', 'link-unknown-key', 'link-swapped-key', 'link-not-verified', 'fingerprint-wrong', 'forked', 'held-back', 'gap',
  'not-countersigned', 'member-differs',
  'media-failed', 'microphone-refused', 'microphone-lost', 'camera-refused', 'camera-lost', 'screen-refused', 'cannot-open',
  'node-unreachable', 'node-stopping', 'disk-full', 'uncertain', 'store-damaged', 'port-busy',
] as const;

export type ProblemCode = (typeof problemCodes)[number];

// A problem is what a person may see of a failure. `params` come from the node and are shown only where a sentence names them.
export interface Problem {
  readonly code: ProblemCode;
  readonly params?: Readonly<Record<string, string>>;
  readonly at?: number; // ms since 1970, by the node's clock where known
}

// asProblemCode keeps a code of a newer node from breaking an older page.
export function asProblemCode(code: string): ProblemCode {
  return (problemCodes as readonly string[]).includes(code) ? (code as ProblemCode) : 'internal';
}
