// Why the policy wrapper refused something. Codes are stable: callers map them to problem codes.

export const keysErrorCodes = [
  "malformed", // bytes that do not decode, or do not decode whole
  "too-large", // a bound of profile.ts was passed
  "wrong-version", // not MLS 1.0
  "wrong-suite", // another cipher suite, so perhaps a classical one
  "not-public-commit", // not a PublicMessage with a Commit from a member
  "wrong-group",
  "wrong-epoch",
  "wrong-committer", // not the leaf the log says
  "forbidden-proposal", // anything but Add and Remove by value
  "forbidden-extension", // any extension but the Welcome's ratchet_tree
  "no-path", // a commit without an UpdatePath
  "unexpected-adds", // the Adds are not those the log says
  "unexpected-removes",
  "ghost", // a leaf that the signed roster does not name
  "identity-changed", // a leaf whose identity or signature key changed over a commit
  "bad-lifetime",
  "bad-credential",
  "bad-keypackage",
  "own-leaf", // a request to remove or add oneself
  "stale", // a staged commit whose place was taken
  "closed", // removed from the group, or closed
  "bad-attestation",
  "invalid", // the library refused: a signature, a tag, a hash, a key
] as const;

export type KeysErrorCode = (typeof keysErrorCodes)[number];

/** A refusal with a stable code. The message never holds key material. */
export class KeysError extends Error {
  readonly code: KeysErrorCode;
  constructor(code: KeysErrorCode, detail?: string) {
    super(detail === undefined ? `keys: ${code}` : `keys: ${code}: ${detail}`);
    this.name = "KeysError";
    this.code = code;
  }
}

/** Runs f and turns whatever the library throws into a KeysError with the given code. */
export async function refusing<T>(code: KeysErrorCode, f: () => Promise<T> | T): Promise<T> {
  try {
    return await f();
  } catch (e) {
    if (e instanceof KeysError) throw e;
    // The library's messages name the rule that failed and never hold secrets.
    throw new KeysError(code, e instanceof Error ? e.message : "unknown");
  }
}
