// A member before it is in a group: its KeyPackage and the private keys that open one Welcome.

import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import type { KeyPackage, PrivateKeyPackage } from "ts-mls/keyPackage.js";
import { encodeKeyPackage, generateKeyPackageWithKey, makeKeyPackageRef } from "ts-mls/keyPackage.js";
import { KeysError, refusing } from "./errors.js";
import { wipe } from "./octets.js";
import { clockSkew, keyPackageLifetime, maxIdentity, ourCapabilities, parseKeyPackage, suiteName } from "./profile.js";

export interface SignatureKeyPair {
  /** Raw Ed25519 seed, 32 bytes. */
  readonly privateKey: Uint8Array;
  /** Raw, 32 bytes. */
  readonly publicKey: Uint8Array;
}

export interface MemberOptions {
  /** What the basic credential says; the log maps it to a person. */
  readonly identity: Uint8Array;
  /** Made fresh when absent. */
  readonly signatureKeyPair?: SignatureKeyPair;
  /** ms since 1970. */
  readonly now: number;
}

/** The private half of a KeyPackage. One Member joins or founds one group, once. */
export class Member {
  readonly keyPackage: Uint8Array;
  readonly signaturePublicKey: Uint8Array;
  readonly suite: CiphersuiteImpl;
  #public: KeyPackage;
  #private: PrivateKeyPackage | undefined;

  private constructor(suite: CiphersuiteImpl, pub: KeyPackage, priv: PrivateKeyPackage) {
    this.suite = suite;
    this.#public = pub;
    this.#private = priv;
    this.keyPackage = encodeKeyPackage(pub);
    this.signaturePublicKey = pub.leafNode.signaturePublicKey;
  }

  static async make(suite: CiphersuiteImpl, o: MemberOptions): Promise<Member> {
    if (suite.name !== suiteName) throw new KeysError("wrong-suite");
    if (o.identity.length === 0 || o.identity.length > maxIdentity) throw new KeysError("bad-credential", "identity size");
    const seconds = Math.floor(o.now / 1000);
    return refusing("invalid", async () => {
      const pair = o.signatureKeyPair ?? rename(await suite.signature.keygen());
      const made = await generateKeyPackageWithKey(
        { credentialType: "basic", identity: o.identity.slice() },
        ourCapabilities,
        { notBefore: BigInt(seconds - clockSkew), notAfter: BigInt(seconds + keyPackageLifetime) },
        [],
        { signKey: pair.privateKey.slice(), publicKey: pair.publicKey.slice() },
        suite,
      );
      return new Member(suite, made.publicPackage, made.privatePackage);
    });
  }

  /** Hands the keys to a group, once: a second use would reuse an init key (RFC 9420 §16.8). */
  take(): { public: KeyPackage; private: PrivateKeyPackage } {
    const priv = this.#private;
    if (priv === undefined) throw new KeysError("closed", "member already used");
    this.#private = undefined;
    return { public: this.#public, private: priv };
  }

  /** Gives keys back after a Welcome was refused, so that a good one can still be tried. */
  restore(priv: PrivateKeyPackage): void {
    this.#private = priv;
  }

  close(): void {
    wipe(this.#private?.initPrivateKey, this.#private?.hpkePrivateKey, this.#private?.signaturePrivateKey);
    this.#private = undefined;
  }

  toJSON(): string {
    return "Member(redacted)";
  }
}

function rename(k: { signKey: Uint8Array; publicKey: Uint8Array }): SignatureKeyPair {
  return { privateKey: k.signKey, publicKey: k.publicKey };
}

/** KeyPackageRef (RFC 9420 §5.2) of a bare KeyPackage: the hash by which the log and Welcomes name it. */
export async function keyPackageRef(suite: CiphersuiteImpl, keyPackage: Uint8Array): Promise<Uint8Array> {
  return makeKeyPackageRef(parseKeyPackage(keyPackage), suite.hash);
}
