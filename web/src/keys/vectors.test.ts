// The MLS working group's vectors (testdata/mls) against the mended library, in all seven registered suites.
// MLS_VECTORS=directory runs a whole published set.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { decodeAuthenticatedContent } from "ts-mls/authenticatedContent.js";
import { defaultClientConfig } from "ts-mls/clientConfig.js";
import { joinGroup, makePskIndex, validateRatchetTree } from "ts-mls/clientState.js";
import { determineLength } from "ts-mls/codec/variableLength.js";
import { decodeCommit, encodeCommit } from "ts-mls/commit.js";
import { applyUpdatePathSecret } from "ts-mls/createCommit.js";
import { type CiphersuiteImpl, getCiphersuiteFromId } from "ts-mls/crypto/ciphersuite.js";
import { refhash } from "ts-mls/crypto/hash.js";
import { decryptWithLabel, encryptWithLabel } from "ts-mls/crypto/hpke.js";
import { defaultCryptoProvider } from "ts-mls/crypto/implementation/default/provider.js";
import { deriveSecret, deriveTreeSecret, expandWithLabel } from "ts-mls/crypto/kdf.js";
import { signWithLabel, verifyWithLabel } from "ts-mls/crypto/signature.js";
import { encodeGroupContext, type GroupContext } from "ts-mls/groupContext.js";
import { decodeGroupSecrets, encodeGroupSecrets } from "ts-mls/groupSecrets.js";
import { initializeEpoch, mlsExporter } from "ts-mls/keySchedule.js";
import { decodeMlsMessage, encodeMlsMessage, type MLSMessage } from "ts-mls/message.js";
import { protectPublicMessage, unprotectPublicMessage } from "ts-mls/messageProtectionPublic.js";
import { getCommitSecret, pathToRoot } from "ts-mls/pathSecrets.js";
import { computePskSecret, type PreSharedKeyID } from "ts-mls/presharedkey.js";
import { processMessage } from "ts-mls/processMessages.js";
import * as proposals from "ts-mls/proposal.js";
import { decodeRatchetTree, encodeRatchetTree, addLeafNode, removeLeafNode, resolution, updateLeafNode, type RatchetTree } from "ts-mls/ratchetTree.js";
import { createSecretTree, ratchetToGeneration } from "ts-mls/secretTree.js";
import { expandSenderDataKey, expandSenderDataNonce } from "ts-mls/sender.js";
import { createConfirmedHash, createInterimHash } from "ts-mls/transcriptHash.js";
import { treeHash, treeHashRoot } from "ts-mls/treeHash.js";
import { left, leafToNodeIndex, nodeWidth, parent, right, root, sibling, toLeafIndex, toNodeIndex } from "ts-mls/treemath.js";
import { applyUpdatePath, createUpdatePath, decodeUpdatePath, encodeUpdatePath } from "ts-mls/updatePath.js";
import { bytesToBase64 } from "ts-mls/util/byteArray.js";
import { acceptAll } from "ts-mls/incomingMessageAction.js";
import { decryptGroupInfo, decryptGroupSecrets } from "ts-mls/welcome.js";
import { verifyGroupInfoConfirmationTag, verifyGroupInfoSignature } from "ts-mls/groupInfo.js";
import { makeKeyPackageRef } from "ts-mls/keyPackage.js";

type Json = Record<string, never> & { [k: string]: never };
// Vectors have a shape per file; they are read once, here, and typed by use.
type V = any; // eslint-disable-line @typescript-eslint/no-explicit-any

const dir = process.env["MLS_VECTORS"] ?? fileURLToPath(new URL("../../testdata/mls", import.meta.url));
const read = (name: string): V[] => JSON.parse(readFileSync(join(dir, `${name}.json`), "utf8")) as Json[];
const un = (h: string) => new Uint8Array(Buffer.from(h, "hex"));
const hex = (b: Uint8Array) => Buffer.from(b).toString("hex");
const suites = new Map<number, Promise<CiphersuiteImpl>>();
function suite(id: number): Promise<CiphersuiteImpl> {
  let s = suites.get(id);
  if (s === undefined) suites.set(id, (s = defaultCryptoProvider.getCiphersuiteImpl(getCiphersuiteFromId(id as 1))));
  return s;
}
function whole<T>(decode: (b: Uint8Array, at: number) => [T, number] | undefined, h: string): T {
  const r = decode(un(h), 0);
  if (r === undefined || r[1] !== h.length / 2) throw new Error("not decoded whole");
  return r[0];
}
/** One test per vector, named by suite and place. */
function each(name: string, run: (v: V, cs: CiphersuiteImpl) => Promise<void>): void {
  const all = read(name);
  it.each(all.map((v, i) => [v.cipher_suite as number, i, v] as const))(`${name}: suite %i, case %i`, { timeout: 300_000 }, async (id, _, v) => run(v, await suite(id ?? 1)));
}

describe("RFC 9420 vectors", () => {
  each("tree-math", async (v) => {
    const n = v.n_leaves as number;
    expect(nodeWidth(n)).toBe(v.n_nodes);
    expect(root(n)).toBe(v.root);
    const or = (f: () => number) => {
      try {
        return f();
      } catch {
        return null;
      }
    };
    for (let i = 0; i < v.n_nodes; i++) {
      const x = toNodeIndex(i);
      expect([or(() => left(x)), or(() => right(x)), or(() => parent(x, n)), or(() => sibling(x, n))]).toEqual([v.left[i], v.right[i], v.parent[i], v.sibling[i]]);
    }
  });

  each("deserialization", async (v) => {
    expect(determineLength(un(v.vlbytes_header)).length).toBe(v.length);
  });

  each("crypto-basics", async (v, cs) => {
    expect(hex(await refhash(v.ref_hash.label, un(v.ref_hash.value), cs.hash))).toBe(v.ref_hash.out);
    const e = v.expand_with_label;
    expect(hex(await expandWithLabel(un(e.secret), e.label, un(e.context), e.length, cs.kdf))).toBe(e.out);
    expect(hex(await deriveSecret(un(v.derive_secret.secret), v.derive_secret.label, cs.kdf))).toBe(v.derive_secret.out);
    const t = v.derive_tree_secret;
    expect(hex(await deriveTreeSecret(un(t.secret), t.label, t.generation, t.length, cs.kdf))).toBe(t.out);
    const s = v.sign_with_label;
    expect(await verifyWithLabel(un(s.pub), s.label, un(s.content), un(s.signature), cs.signature)).toBe(true);
    const own = await signWithLabel(un(s.priv), s.label, un(s.content), cs.signature);
    expect(await verifyWithLabel(un(s.pub), s.label, un(s.content), own, cs.signature)).toBe(true);
    const w = v.encrypt_with_label;
    const priv = await cs.hpke.importPrivateKey(un(w.priv));
    expect(hex(await decryptWithLabel(priv, w.label, un(w.context), un(w.kem_output), un(w.ciphertext), cs.hpke))).toBe(w.plaintext);
    const pub = await cs.hpke.importPublicKey(un(w.pub));
    const c = await encryptWithLabel(pub, w.label, un(w.context), un(w.plaintext), cs.hpke);
    expect(hex(await decryptWithLabel(priv, w.label, un(w.context), c.enc, c.ct, cs.hpke))).toBe(w.plaintext);
  });

  each("key-schedule", async (v, cs) => {
    let initSecret = un(v.initial_init_secret);
    for (const [i, e] of (v.epochs as V[]).entries()) {
      const gc: GroupContext = {
        version: "mls10",
        cipherSuite: cs.name,
        groupId: un(v.group_id),
        epoch: BigInt(i),
        treeHash: un(e.tree_hash),
        confirmedTranscriptHash: un(e.confirmed_transcript_hash),
        extensions: [],
      };
      expect(hex(encodeGroupContext(gc))).toBe(e.group_context);
      const s = await initializeEpoch(initSecret, un(e.commit_secret), gc, un(e.psk_secret), cs.kdf);
      const k = s.keySchedule;
      expect({
        joiner_secret: hex(s.joinerSecret),
        welcome_secret: hex(s.welcomeSecret),
        encryption_secret: hex(s.encryptionSecret),
        init_secret: hex(k.initSecret),
        sender_data_secret: hex(k.senderDataSecret),
        exporter_secret: hex(k.exporterSecret),
        external_secret: hex(k.externalSecret),
        confirmation_key: hex(k.confirmationKey),
        membership_key: hex(k.membershipKey),
        resumption_psk: hex(k.resumptionPsk),
        epoch_authenticator: hex(k.epochAuthenticator),
        external_pub: hex(await cs.hpke.exportPublicKey((await cs.hpke.deriveKeyPair(k.externalSecret)).publicKey)),
      }).toEqual(pick(e, ["joiner_secret", "welcome_secret", "encryption_secret", "init_secret", "sender_data_secret", "exporter_secret", "external_secret", "confirmation_key", "membership_key", "resumption_psk", "epoch_authenticator", "external_pub"]));
      expect(hex(await mlsExporter(k.exporterSecret, e.exporter.label, un(e.exporter.context), e.exporter.length, cs))).toBe(e.exporter.secret);
      initSecret = k.initSecret as typeof initSecret;
    }
  });

  each("psk_secret", async (v, cs) => {
    const psks = (v.psks as V[]).map((p): [PreSharedKeyID, Uint8Array] => [{ psktype: "external", pskId: un(p.psk_id), pskNonce: un(p.psk_nonce) }, un(p.psk)]);
    expect(hex(await computePskSecret(psks, cs))).toBe(v.psk_secret);
  });

  each("secret-tree", async (v, cs) => {
    const sd = v.sender_data;
    expect(hex(await expandSenderDataKey(cs, un(sd.sender_data_secret), un(sd.ciphertext)))).toBe(sd.key);
    expect(hex(await expandSenderDataNonce(cs, un(sd.sender_data_secret), un(sd.ciphertext)))).toBe(sd.nonce);
    const tree = await createSecretTree(v.leaves.length, un(v.encryption_secret), cs.kdf);
    const retention = { retainKeysForGenerations: 30, retainKeysForEpochs: 4, maximumForwardRatchetSteps: 30 };
    for (const [leafIndex, generations] of (v.leaves as V[][]).entries())
      for (const g of generations)
        for (const [type, prefix] of [["application", "application"], ["commit", "handshake"]] as const) {
          const r = await ratchetToGeneration(tree, { leafIndex, generation: g.generation, reuseGuard: new Uint8Array(4) as never }, type, retention, cs);
          expect([hex(r.key), hex(r.nonce)]).toEqual([g[`${prefix}_key`], g[`${prefix}_nonce`]]);
        }
  });

  each("transcript-hashes", async (v, cs) => {
    const a = whole(decodeAuthenticatedContent, v.authenticated_content);
    if (a.content.contentType !== "commit" || a.auth.contentType !== "commit") throw new Error();
    const confirmed = await createConfirmedHash(un(v.interim_transcript_hash_before), { wireformat: a.wireformat, content: a.content, signature: a.auth.signature }, cs.hash);
    expect(hex(confirmed)).toBe(v.confirmed_transcript_hash_after);
    expect(hex(await createInterimHash(confirmed, a.auth.confirmationTag, cs.hash))).toBe(v.interim_transcript_hash_after);
    expect(await cs.hash.verifyMac(un(v.confirmation_key), a.auth.confirmationTag, confirmed)).toBe(true);
  });

  each("tree-operations", async (v, cs) => {
    const before = whole(decodeRatchetTree, v.tree_before);
    expect(hex(await treeHashRoot(before, cs.hash))).toBe(v.tree_hash_before);
    const p = whole(proposals.decodeProposal, v.proposal);
    let after: RatchetTree;
    if (p.proposalType === "add") [after] = addLeafNode(before, p.add.keyPackage.leafNode);
    else if (p.proposalType === "remove") after = removeLeafNode(before, toLeafIndex(p.remove.removed));
    else if (p.proposalType === "update") after = updateLeafNode(before, p.update.leafNode, toLeafIndex(v.proposal_sender));
    else throw new Error();
    expect(hex(encodeRatchetTree(after))).toBe(v.tree_after);
    expect(hex(await treeHashRoot(after, cs.hash))).toBe(v.tree_hash_after);
  });

  each("tree-validation", async (v, cs) => {
    const tree = whole(decodeRatchetTree, v.tree);
    for (const [i, r] of (v.resolutions as number[][]).entries()) expect(resolution(tree, toNodeIndex(i))).toEqual(r);
    for (const [i, h] of (v.tree_hashes as string[]).entries()) expect(hex(await treeHash(tree, toNodeIndex(i), cs.hash))).toBe(h);
    const gc = { version: "mls10", cipherSuite: cs.name, groupId: un(v.group_id), epoch: 0n, treeHash: await treeHashRoot(tree, cs.hash), confirmedTranscriptHash: new Uint8Array(), extensions: [] } as GroupContext;
    expect(await validateRatchetTree(tree, gc, defaultClientConfig.lifetimeConfig, defaultClientConfig.authService, gc.treeHash, cs)).toBeUndefined();
  });

  each("treekem", async (v, cs) => {
    const tree = whole(decodeRatchetTree, v.ratchet_tree);
    const gc = { version: "mls10", cipherSuite: cs.name, groupId: un(v.group_id), epoch: BigInt(v.epoch), treeHash: await treeHashRoot(tree, cs.hash), confirmedTranscriptHash: un(v.confirmed_transcript_hash), extensions: [] } as GroupContext;
    const members = new Map<number, V>((v.leaves_private as V[]).map((l) => [l.index, l]));
    async function privatePath(l: V) {
      const privateKeys: Record<number, Uint8Array> = { [leafToNodeIndex(toLeafIndex(l.index))]: un(l.encryption_priv) };
      for (const p of l.path_secrets) {
        const pair = await cs.hpke.deriveKeyPair(await deriveSecret(un(p.path_secret), "node", cs.kdf));
        privateKeys[p.node] = await cs.hpke.exportPrivateKey(pair.privateKey);
        const n = tree[p.node]!;
        expect(n.nodeType === "parent" && hex(n.parent.hpkePublicKey)).toBe(hex(await cs.hpke.exportPublicKey(pair.publicKey)));
      }
      return { leafIndex: l.index as number, privateKeys };
    }
    for (const u of v.update_paths as V[]) {
      const path = whole(decodeUpdatePath, u.update_path);
      const sender = toLeafIndex(u.sender);
      const after = await applyUpdatePath(tree, sender, path, cs.hash);
      expect(hex(await treeHashRoot(after, cs.hash))).toBe(u.tree_hash_after);
      // The vectors encrypt under the provisional context with the epoch unchanged.
      const provisional = { ...gc, treeHash: await treeHashRoot(after, cs.hash) };
      for (const [i, l] of members) {
        if (i === u.sender) continue;
        const s = await applyUpdatePathSecret(after, await privatePath(l), sender, provisional, path, [], cs);
        expect(hex(s.pathSecret)).toBe(u.path_secrets[i]);
        expect(hex(await getCommitSecret(after, toNodeIndex(s.nodeIndex), s.pathSecret, cs.kdf))).toBe(u.commit_secret);
      }
      expect(hex(encodeUpdatePath(path))).toBe(u.update_path);
      // And one of our own: every member comes to the same commit secret.
      const made = (await createUpdatePath(tree, sender, gc, un(members.get(u.sender)!.signature_priv), cs)) as unknown as [RatchetTree, typeof path, unknown, unknown, Uint8Array];
      const own = await applyUpdatePath(tree, sender, made[1], cs.hash);
      const ownContext = { ...gc, epoch: gc.epoch + 1n, treeHash: await treeHashRoot(own, cs.hash) };
      for (const [i, l] of members) {
        if (i === u.sender) continue;
        const s = await applyUpdatePathSecret(own, await privatePath(l), sender, ownContext, made[1], [], cs);
        expect(hex(await getCommitSecret(own, toNodeIndex(s.nodeIndex), s.pathSecret, cs.kdf))).toBe(hex(made[4]));
        expect(Object.keys(await pathToRoot(own, toNodeIndex(s.nodeIndex), s.pathSecret, cs.kdf)).length).toBeGreaterThan(0);
      }
    }
  });

  each("welcome", async (v, cs) => {
    const w = whole(decodeMlsMessage, v.welcome);
    const k = whole(decodeMlsMessage, v.key_package);
    if (w.wireformat !== "mls_welcome" || k.wireformat !== "mls_key_package") throw new Error();
    const init = await cs.hpke.importPrivateKey(un(v.init_priv));
    const secrets = (await decryptGroupSecrets(init, await makeKeyPackageRef(k.keyPackage, cs.hash), w.welcome, cs.hpke))!;
    const psk = new Uint8Array(cs.kdf.size);
    const info = (await decryptGroupInfo(w.welcome, secrets.joinerSecret, psk, cs))!;
    expect(await verifyGroupInfoSignature(info, un(v.signer_pub), cs.signature)).toBe(true);
    expect(await verifyGroupInfoConfirmationTag(info, secrets.joinerSecret, psk, cs)).toBe(true);
  });

  each("message-protection", async (v, cs) => {
    const gc = { version: "mls10", cipherSuite: cs.name, groupId: un(v.group_id), epoch: BigInt(v.epoch), treeHash: un(v.tree_hash), confirmedTranscriptHash: un(v.confirmed_transcript_hash), extensions: [] } as GroupContext;
    for (const [message, want] of [[v.commit_pub, v.commit], [v.proposal_pub, v.proposal]] as const) {
      const m = whole(decodeMlsMessage, message);
      if (m.wireformat !== "mls_public_message") throw new Error();
      const u = await unprotectPublicMessage(un(v.membership_key), gc, [], m.publicMessage, cs, un(v.signature_pub));
      const content = u.content.contentType === "commit" ? encodeCommit(u.content.commit) : u.content.contentType === "proposal" ? proposals.encodeProposal(u.content.proposal) : new Uint8Array();
      expect(hex(content)).toBe(want);
      const again = await protectPublicMessage(un(v.membership_key), gc, u, cs);
      expect(hex(encodeMlsMessage({ version: "mls10", wireformat: "mls_public_message", publicMessage: again }))).toBe(message);
    }
  });

  each("messages", async (v) => {
    for (const k of ["mls_welcome", "mls_group_info", "mls_key_package", "public_message_application", "public_message_proposal", "public_message_commit", "private_message"])
      expect(hex(encodeMlsMessage(whole(decodeMlsMessage, v[k])))).toBe(v[k]);
    expect(hex(encodeRatchetTree(whole(decodeRatchetTree, v.ratchet_tree)))).toBe(v.ratchet_tree);
    expect(hex(encodeGroupSecrets(whole(decodeGroupSecrets, v.group_secrets)))).toBe(v.group_secrets);
    expect(hex(encodeCommit(whole(decodeCommit, v.commit)))).toBe(v.commit);
    expect(hex(proposals.encodeAdd(whole(proposals.decodeAdd, v.add_proposal)))).toBe(v.add_proposal);
    expect(hex(proposals.encodeUpdate(whole(proposals.decodeUpdate, v.update_proposal)))).toBe(v.update_proposal);
    expect(hex(proposals.encodeRemove(whole(proposals.decodeRemove, v.remove_proposal)))).toBe(v.remove_proposal);
    expect(hex(proposals.encodePSK(whole(proposals.decodePSK, v.pre_shared_key_proposal)))).toBe(v.pre_shared_key_proposal);
    expect(hex(proposals.encodeReinit(whole(proposals.decodeReinit, v.re_init_proposal)))).toBe(v.re_init_proposal);
    expect(hex(proposals.encodeExternalInit(whole(proposals.decodeExternalInit, v.external_init_proposal)))).toBe(v.external_init_proposal);
    expect(hex(proposals.encodeGroupContextExtensions(whole(proposals.decodeGroupContextExtensions, v.group_context_extensions_proposal)))).toBe(v.group_context_extensions_proposal);
  });

  for (const name of ["passive-client-welcome", "passive-client-handling-commit", "passive-client-random"]) {
    each(name, async (v, cs) => {
      const k = whole(decodeMlsMessage, v.key_package);
      const w = whole(decodeMlsMessage, v.welcome);
      if (w.wireformat !== "mls_welcome" || k.wireformat !== "mls_key_package") throw new Error();
      const psks = Object.fromEntries((v.external_psks as V[]).map((p) => [bytesToBase64(un(p.psk_id)), un(p.psk)]));
      const tree = v.ratchet_tree === null ? undefined : whole(decodeRatchetTree, v.ratchet_tree);
      const keys = { initPrivateKey: un(v.init_priv), hpkePrivateKey: un(v.encryption_priv), signaturePrivateKey: un(v.signature_priv) };
      let state = await joinGroup(w.welcome, k.keyPackage, keys, makePskIndex(undefined, psks), cs, tree);
      expect(hex(state.keySchedule.epochAuthenticator)).toBe(v.initial_epoch_authenticator);
      for (const e of v.epochs as V[]) {
        for (const m of [...e.proposals, e.commit] as string[]) {
          const message = whole(decodeMlsMessage, m) as Extract<MLSMessage, { wireformat: "mls_public_message" | "mls_private_message" }>;
          state = (await processMessage(message, state, makePskIndex(state, psks), acceptAll, cs)).newState;
        }
        expect(hex(state.keySchedule.epochAuthenticator)).toBe(e.epoch_authenticator);
      }
    });
  }
});

function pick(o: V, keys: string[]): Record<string, unknown> {
  return Object.fromEntries(keys.map((k) => [k, o[k]]));
}

