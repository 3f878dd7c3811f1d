// The library without our policy, for tests: to mend it one needs to see it bare, and an attacker uses it so.

import { type ClientState, createGroup, joinGroup, makePskIndex } from "ts-mls/clientState.js";
import { createCommit, type CreateCommitOptions } from "ts-mls/createCommit.js";
import { type CiphersuiteImpl, getCiphersuiteFromName, type CiphersuiteName } from "ts-mls/crypto/ciphersuite.js";
import { defaultCryptoProvider } from "ts-mls/crypto/implementation/default/provider.js";
import { generateKeyPackage, type KeyPackage, type PrivateKeyPackage } from "ts-mls/keyPackage.js";
import { processMessage } from "ts-mls/processMessages.js";
import type { MLSMessage } from "ts-mls/message.js";
import type { Welcome } from "ts-mls/welcome.js";
import { emptyPskIndex } from "ts-mls/pskIndex.js";
import type { Proposal } from "ts-mls/proposal.js";
import type { Capabilities } from "ts-mls/capabilities.js";
import { defaultClientConfig } from "ts-mls/clientConfig.js";
import { mlsExporter } from "ts-mls/keySchedule.js";
import { acceptAll } from "ts-mls/incomingMessageAction.js";
import { hex, utf8 } from "./octets.js";
import { ourCapabilities } from "./profile.js";

export const classical: CiphersuiteName = "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519";

export function suiteOf(name: CiphersuiteName): Promise<CiphersuiteImpl> {
  return defaultCryptoProvider.getCiphersuiteImpl(getCiphersuiteFromName(name));
}

export interface RawMember {
  readonly pub: KeyPackage;
  readonly priv: PrivateKeyPackage;
}

export function rawMember(cs: CiphersuiteImpl, name: string, caps: Partial<Capabilities> = {}): Promise<RawMember> {
  const seconds = BigInt(Math.floor(Date.now() / 1000));
  return generateKeyPackage(
    { credentialType: "basic", identity: utf8(name) },
    { ...ourCapabilities, ciphersuites: [cs.name], ...caps },
    { notBefore: seconds - 3600n, notAfter: seconds + 3600n },
    [],
    cs,
  ).then((k) => ({ pub: k.publicPackage, priv: k.privatePackage }));
}

export async function rawFound(cs: CiphersuiteImpl, name = "A"): Promise<ClientState> {
  const m = await rawMember(cs, name);
  return createGroup(utf8("group"), m.pub, m.priv, [], cs);
}

export const add = (m: RawMember): Proposal => ({ proposalType: "add", add: { keyPackage: m.pub } });
export const remove = (removed: number): Proposal => ({ proposalType: "remove", remove: { removed } });

export async function rawCommit(
  cs: CiphersuiteImpl,
  state: ClientState,
  extraProposals: Proposal[],
  o: CreateCommitOptions = {},
): Promise<{ next: ClientState; commit: MLSMessage; welcome: Welcome | undefined }> {
  const r = await createCommit(
    { state, pskIndex: makePskIndex(state, {}), cipherSuite: cs },
    { wireAsPublicMessage: true, ratchetTreeExtension: true, extraProposals, ...o },
  );
  return { next: r.newState, commit: r.commit as MLSMessage, welcome: r.welcome };
}

export function rawJoin(cs: CiphersuiteImpl, m: RawMember, welcome: Welcome): Promise<ClientState> {
  return joinGroup(welcome, m.pub, m.priv, emptyPskIndex, cs, undefined, undefined, defaultClientConfig);
}

export async function rawProcess(cs: CiphersuiteImpl, state: ClientState, commit: MLSMessage): Promise<ClientState> {
  const m = commit as Extract<MLSMessage, { wireformat: "mls_public_message" | "mls_private_message" }>;
  return (await processMessage(m, state, makePskIndex(state, {}), acceptAll, cs)).newState;
}

export async function rawExport(cs: CiphersuiteImpl, s: ClientState): Promise<string> {
  return hex(await mlsExporter(s.keySchedule.exporterSecret, "test", new Uint8Array(), 32, cs));
}
