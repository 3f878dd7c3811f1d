// What is mended in ts-mls 1.6.4, defect by defect, as exact-match replacements.
//
// Each entry: defect, file (below dist/src), from (must occur exactly `times` times), to.
// The numbers are those of docs/decisions/0002-mls-library.md; src/keys/defects.test.ts has a test
// for each that fails without it (`npm run patch:prove`). Replacements of different defects never
// overlap, so any one can be left out. Section numbers are RFC 9420's.

export const version = "1.6.4";

export const mends = [
  // 1. unmerged_leaves: section 7.9 asks that each non-blank node between the parent and the leaf
  // includes the leaf, not that whole lists agree up to the root; and that the leaf is a non-blank
  // descendant. Without it most Welcomes after ordinary churn are refused. The bound stops a hostile
  // tree whose unmerged leaf lies outside it from looping for ever in directPath.
  {
    defect: 1,
    file: "clientState.js",
    from: `                const leafIndex = toLeafIndex(unmergedLeaf);
                const dp = directPath(`,
    to: `                if (unmergedLeaf >= leafWidth(tree.length))
                    return new ValidationError("Unmerged leaf lies outside the tree");
                const leafIndex = toLeafIndex(unmergedLeaf);
                const dp = directPath(`,
  },
  {
    defect: 1,
    file: "clientState.js",
    from: `                if (tree[nodeIndex]?.nodeType !== "leaf" && !dp.includes(toNodeIndex(i)))`,
    to: `                if (tree[nodeIndex]?.nodeType !== "leaf" || !dp.includes(toNodeIndex(i)))`,
  },
  {
    defect: 1,
    file: "clientState.js",
    from: `                for (const parentIdx of dp) {`,
    to: `                for (const parentIdx of dp.slice(0, dp.indexOf(toNodeIndex(i)))) {`,
  },
  {
    defect: 1,
    file: "clientState.js",
    from: `                        if (!arraysEqual(dpNode.parent.unmergedLeaves, n.parent.unmergedLeaves))`,
    to: `                        if (!dpNode.parent.unmergedLeaves.includes(unmergedLeaf))`,
  },

  // 2. commit_secret: section 7.5 derives it from the last secret of the *filtered* direct path,
  // which is not the root's when the root is blank, and is the leaf's when the path is empty.
  {
    defect: 2,
    file: "pathSecrets.js",
    from: `    const rootIndex = root(leafWidth(tree.length));
    const path = await pathToRoot(tree, nodeIndex, pathSecret, kdf);
    const rootSecret = path[rootIndex];
    if (rootSecret === undefined)
        throw new InternalError("Could not find secret for root");
    return deriveSecret(rootSecret, "path", kdf);
}`,
    to: `    const path = await pathToRoot(tree, nodeIndex, pathSecret, kdf);
    return deriveSecret(path[lastPathNode(tree, nodeIndex)], "path", kdf);
}
/** The next non-blank ancestor, or undefined at the end of the filtered direct path. */
function nextPathNode(tree, nodeIndex) {
    if (nodeIndex === root(leafWidth(tree.length)))
        return undefined;
    const ancestor = findFirstNonBlankAncestor(tree, nodeIndex);
    return tree[ancestor] === undefined ? undefined : ancestor;
}
/** The last node of the filtered direct path that passes through nodeIndex. */
export function lastPathNode(tree, nodeIndex) {
    let current = nodeIndex;
    for (let next = nextPathNode(tree, current); next !== undefined; next = nextPathNode(tree, current))
        current = next;
    return current;
}`,
  },
  {
    defect: 2,
    file: "pathSecrets.js",
    from: `    const rootIndex = root(leafWidth(tree.length));
    let currentIndex = nodeIndex;`,
    to: `    let currentIndex = nodeIndex;`,
  },
  {
    defect: 2,
    file: "pathSecrets.js",
    from: `    while (currentIndex != rootIndex) {
        const nextIndex = findFirstNonBlankAncestor(tree, currentIndex);`,
    to: `    for (;;) {
        const nextIndex = nextPathNode(tree, currentIndex);
        if (nextIndex === undefined)
            break;`,
  },
  {
    defect: 2,
    file: "pathSecrets.d.ts",
    from: `export declare function pathToRoot(`,
    to: `export declare function lastPathNode(tree: RatchetTree, nodeIndex: NodeIndex): NodeIndex;
export declare function pathToRoot(`,
  },
  {
    defect: 2,
    file: "processMessages.js",
    from: `import { pathToRoot } from "./pathSecrets.js";`,
    to: `import { lastPathNode, pathToRoot } from "./pathSecrets.js";`,
  },
  {
    defect: 2,
    file: "processMessages.js",
    from: `    const rootIndex = root(leafWidth(tree.length));
    const rootSecret = pathSecrets[rootIndex];
    if (rootSecret === undefined)
        throw new InternalError("Could not find secret for root");
    const commitSecret = await deriveSecret(rootSecret, "path", cs.kdf);`,
    to: `    const lastSecret = pathSecrets[lastPathNode(tree, toNodeIndex(secret.nodeIndex))];
    const commitSecret = await deriveSecret(lastSecret, "path", cs.kdf);`,
  },
  {
    defect: 2,
    file: "updatePath.js",
    from: `    return [treeWithHashes, updatePath, pathSecrets, leafKeypair.privateKey];`,
    to: `    const commitSecret = await deriveSecret(ps[0].secret, "path", cs.kdf);
    return [treeWithHashes, updatePath, pathSecrets, leafKeypair.privateKey, commitSecret];`,
  },
  {
    defect: 2,
    file: "createCommit.js",
    from: `    const [tree, updatePath, pathSecrets, newPrivateKey] =`,
    to: `    const [tree, updatePath, pathSecrets, newPrivateKey, pathCommitSecret] =`,
  },
  {
    defect: 2,
    file: "createCommit.js",
    from: `    const lastPathSecret = pathSecrets.at(-1);
    const commitSecret = lastPathSecret === undefined
        ? new Uint8Array(cipherSuite.kdf.size)
        : await getCommitSecret(tree, toNodeIndex(lastPathSecret.nodeIndex), lastPathSecret.secret, cipherSuite.kdf);`,
    to: `    const commitSecret = pathCommitSecret ?? new Uint8Array(cipherSuite.kdf.size);`,
  },
  {
    defect: 2,
    file: "createCommit.js",
    from: `    const [newTree, updatePath, pathSecrets, newPrivateKey] = await createUpdatePath(`,
    to: `    const [newTree, updatePath, pathSecrets, newPrivateKey, commitSecret] = await createUpdatePath(`,
  },
  {
    defect: 2,
    file: "createCommit.js",
    from: `    const lastPathSecret = pathSecrets.at(-1);
    const commitSecret = lastPathSecret === undefined
        ? new Uint8Array(cs.kdf.size)
        : await getCommitSecret(newTree, toNodeIndex(lastPathSecret.nodeIndex), lastPathSecret.secret, cs.kdf);
`,
    to: `    // The commit secret came with the path.
`,
  },

  // 3. A path is required unless every proposal is Add, PSK or ReInit (section 12.4); it is computed
  // over the group's new extensions; and a GroupContextExtensions proposal may empty the list.
  {
    defect: 3,
    file: "clientState.js",
    from: `        const needsUpdatePath = allProposals.length === 0 || Object.values(grouped.update).length > 0 || Object.values(grouped.remove).length > 0;`,
    to: `        const needsUpdatePath = allProposals.length === 0 ||
            allProposals.some(({ proposal }) => !["add", "psk", "reinit"].includes(proposal.proposalType));`,
  },
  {
    defect: 3,
    file: "clientState.js",
    from: `                extensions: newExtensions,`,
    to: `                extensions: grouped.group_context_extensions.length > 0 ? newExtensions : state.groupContext.extensions,`,
  },
  {
    defect: 3,
    file: "createCommit.js",
    from: `    // New members receive the path secret in the Welcome, rather than through`,
    to: `    const groupContextWithExtensions = {
        ...state.groupContext,
        extensions: res.additionalResult.kind === "memberCommit" ? res.additionalResult.extensions : state.groupContext.extensions,
    };
    // New members receive the path secret in the Welcome, rather than through`,
  },
  {
    defect: 3,
    file: "createCommit.js",
    from: `        ? await createUpdatePath(res.tree, toLeafIndex(state.privatePath.leafIndex), state.groupContext,`,
    to: `        ? await createUpdatePath(res.tree, toLeafIndex(state.privatePath.leafIndex), groupContextWithExtensions,`,
  },
  {
    defect: 3,
    file: "createCommit.js",
    from: `    const updatedExtensions = res.additionalResult.kind === "memberCommit" && res.additionalResult.extensions.length > 0
        ? res.additionalResult.extensions
        : state.groupContext.extensions;
    const groupContextWithExtensions = { ...state.groupContext, extensions: updatedExtensions };
`,
    to: `    // The context with the new extensions stands above, before the path is made.
`,
  },
  {
    defect: 3,
    file: "processMessages.js",
    from: `    const groupContextWithExtensions = result.additionalResult.kind === "memberCommit" && result.additionalResult.extensions.length > 0`,
    to: `    const groupContextWithExtensions = result.additionalResult.kind === "memberCommit"`,
  },

  // 4. "Am I removed" is a question to the Remove proposals: an Add in the same commit may reuse my leaf.
  {
    defect: 4,
    file: "clientState.js",
    from: `        const selfRemoved = mutatedTree[leafToNodeIndex(toLeafIndex(state.privatePath.leafIndex))] === undefined;`,
    to: `        const selfRemoved = grouped.remove.some(({ proposal }) => proposal.remove.removed === state.privatePath.leafIndex);`,
  },

  // 5. external_pub is opaque<V> (section 12.4.3.2), external_senders a vector (section 12.1.8.1), and
  // external PSKs apply to a PrivateMessage too. Our profile refuses all three; they are mended so that
  // nothing outside the profile behaves by accident.
  {
    defect: 5,
    file: "createCommit.js",
    from: `{ extensionType: "external_pub", extensionData: externalPub }`,
    to: `{ extensionType: "external_pub", extensionData: encode(varLenDataEncoder)(externalPub) }`,
    times: 2,
  },
  {
    defect: 5,
    file: "createCommit.js",
    from: `await exportSecret(externalPub.extensionData, cs);`,
    to: `await exportSecret(decodeExternalPub(externalPub.extensionData), cs);`,
  },
  {
    defect: 5,
    file: "createCommit.js",
    from: `import { encode } from "./codec/tlsEncoder.js";
`,
    to: `import { encode } from "./codec/tlsEncoder.js";
import { decodeVarLenData, varLenDataEncoder } from "./codec/variableLength.js";
function decodeExternalPub(data) {
    const [key, length] = decodeVarLenData(data, 0);
    if (length !== data.length)
        throw new ValidationError("Could not decode external_pub");
    return key;
}
`,
  },
  {
    defect: 5,
    file: "externalSender.js",
    from: `import { decodeVarLenData, varLenDataEncoder } from "./codec/variableLength.js";`,
    to: `import { decodeVarLenData, decodeVarLenType, varLenDataEncoder, varLenTypeEncoder } from "./codec/variableLength.js";`,
  },
  {
    defect: 5,
    file: "externalSender.js",
    from: `export const decodeExternalSender = mapDecoders([decodeVarLenData, decodeCredential], (signaturePublicKey, credential) => ({ signaturePublicKey, credential }));`,
    to: `export const decodeExternalSender = mapDecoders([decodeVarLenData, decodeCredential], (signaturePublicKey, credential) => ({ signaturePublicKey, credential }));
/** The content of an external_senders extension: ExternalSender external_senders<V>. */
export const encodeExternalSenders = encode(varLenTypeEncoder(externalSenderEncoder));
export const decodeExternalSenders = decodeVarLenType(decodeExternalSender);`,
  },
  {
    defect: 5,
    file: "externalSender.d.ts",
    from: `export declare const decodeExternalSender: Decoder<ExternalSender>;`,
    to: `export declare const decodeExternalSender: Decoder<ExternalSender>;
export declare const encodeExternalSenders: Encoder<ExternalSender[]>;
export declare const decodeExternalSenders: Decoder<ExternalSender[]>;`,
  },
  {
    defect: 5,
    file: "publicMessage.js",
    from: `import { decodeExternalSender } from "./externalSender.js";`,
    to: `import { decodeExternalSenders } from "./externalSender.js";`,
  },
  {
    defect: 5,
    file: "publicMessage.js",
    from: `    const externalSenderExtension = externalSenderExtensions[senderIndex];
    if (externalSenderExtension !== undefined) {
        const externalSender = decodeExternalSender(externalSenderExtension.extensionData, 0);
        if (externalSender === undefined)
            throw new CodecError("Could not decode ExternalSender");
        return externalSender[0];
    }`,
    to: `    const externalSenderExtension = externalSenderExtensions[0];
    if (externalSenderExtension !== undefined) {
        const externalSenders = decodeExternalSenders(externalSenderExtension.extensionData, 0);
        if (externalSenders === undefined)
            throw new CodecError("Could not decode external_senders");
        return externalSenders[0][senderIndex];
    }`,
  },
  {
    defect: 5,
    file: "clientState.js",
    from: `import { decodeExternalSender } from "./externalSender.js";`,
    to: `import { decodeExternalSenders } from "./externalSender.js";`,
  },
  {
    defect: 5,
    file: "clientState.js",
    from: `        const decoded = decodeExternalSender(externalSender.extensionData, 0);
        if (decoded === undefined)
            return new CodecError("Could not decode external_senders");
        const validCredential = await authService.validateCredential(decoded[0].credential, decoded[0].signaturePublicKey);
        if (!validCredential)
            return new ValidationError("Could not validate external credential");`,
    to: `        const decoded = decodeExternalSenders(externalSender.extensionData, 0);
        if (decoded === undefined)
            return new CodecError("Could not decode external_senders");
        for (const sender of decoded[0]) {
            const validCredential = await authService.validateCredential(sender.credential, sender.signaturePublicKey);
            if (!validCredential)
                return new ValidationError("Could not validate external credential");
        }`,
  },
  {
    defect: 5,
    file: "processMessages.js",
    from: `        return processPrivateMessage(state, message.privateMessage, emptyPskIndex, cs, action);`,
    to: `        return processPrivateMessage(state, message.privateMessage, pskIndex, cs, action);`,
  },

  // 7. Public keys of an UpdatePath are compared with those the path secrets give (section 7.5), at the
  // receiver of a commit and of a Welcome; and no key may appear twice in the new tree (sections 7.3 and
  // 12.4.2). Without it an insider sends different secrets to different members and splits the group.
  {
    defect: 7,
    file: "privateKeyPath.js",
    from: `export async function toPrivateKeyPath(pathSecrets, leafIndex, cs) {`,
    to: `export async function toPrivateKeyPath(pathSecrets, leafIndex, cs, tree) {`,
  },
  {
    defect: 7,
    file: "privateKeyPath.js",
    from: `        const { privateKey } = await cs.hpke.deriveKeyPair(nodeSecret);`,
    to: `        const { privateKey, publicKey } = await cs.hpke.deriveKeyPair(nodeSecret);
        const node = tree?.[Number(nodeIndex)];
        if (node?.nodeType === "parent" &&
            !constantTimeEqual(await cs.hpke.exportPublicKey(publicKey), node.parent.hpkePublicKey))
            throw new CryptoVerificationError("Public key in the path does not match its path secret");`,
  },
  {
    defect: 7,
    file: "privateKeyPath.js",
    from: `import { leafToNodeIndex, toLeafIndex } from "./treemath.js";`,
    to: `import { CryptoVerificationError } from "./mlsError.js";
import { leafToNodeIndex, toLeafIndex } from "./treemath.js";
import { constantTimeEqual } from "./util/constantTimeCompare.js";`,
  },
  {
    defect: 7,
    file: "processMessages.js",
    from: `await toPrivateKeyPath(pathSecrets, state.privatePath.leafIndex, cs));`,
    to: `await toPrivateKeyPath(pathSecrets, state.privatePath.leafIndex, cs, tree));`,
  },
  {
    defect: 7,
    file: "clientState.js",
    from: `groupSecrets.pathSecret, cs.kdf), newLeaf, cs), privateKeyPath);`,
    to: `groupSecrets.pathSecret, cs.kdf), newLeaf, cs, tree), privateKeyPath);`,
  },
  {
    defect: 7,
    file: "updatePath.js",
    from: `    const pathNodePublicKeysExistInTree = path.nodes.some((node) => tree.some((treeNode) => {
        return treeNode?.nodeType === "parent"
            ? constantTimeEqual(treeNode.parent.hpkePublicKey, node.hpkePublicKey)
            : false;
    }));
    if (pathNodePublicKeysExistInTree)
        throw new ValidationError("Public keys in the UpdatePath may not appear in a node of the new ratchet tree");`,
    to: `    // An external committer's new leaf already stands in the tree.
    const own = isExternal ? leafToNodeIndex(senderLeafIndex) : -1;
    const seen = new Set(tree.filter((n, i) => n !== undefined && i !== own).map((n) => bytesToBase64(getHpkePublicKey(n))));
    for (const key of [path.leafNode.hpkePublicKey, ...path.nodes.map((n) => n.hpkePublicKey)].map(bytesToBase64)) {
        if (seen.has(key))
            throw new ValidationError("Public keys in the UpdatePath may not appear in a node of the new ratchet tree");
        seen.add(key);
    }`,
  },
  {
    defect: 7,
    file: "updatePath.js",
    from: `import { constantTimeEqual } from "./util/constantTimeCompare.js";`,
    to: `import { bytesToBase64 } from "./util/byteArray.js";
import { constantTimeEqual } from "./util/constantTimeCompare.js";`,
  },
  {
    defect: 7,
    file: "clientState.js",
    from: `            const signatureKey = bytesToBase64(node.leaf.signaturePublicKey);
            if (signatureKeys.has(signatureKey) && existingLeafIndex !== nodeToLeafIndex(toNodeIndex(nodeIndex)))
                return new ValidationError("signature keys not unique");
            else
                signatureKeys.add(signatureKey);`,
    to: `            if (existingLeafIndex !== nodeToLeafIndex(toNodeIndex(nodeIndex)))
                signatureKeys.add(bytesToBase64(node.leaf.signaturePublicKey));`,
  },
  {
    defect: 7,
    file: "clientState.js",
    from: `            const hpkeKey = bytesToBase64(node.parent.hpkePublicKey);
            if (hpkeKeys.has(hpkeKey))
                return new ValidationError("hpke keys not unique");
            else
                hpkeKeys.add(hpkeKey);
        }
    }
}`,
    to: `            const hpkeKey = bytesToBase64(node.parent.hpkePublicKey);
            if (hpkeKeys.has(hpkeKey))
                return new ValidationError("hpke keys not unique");
            else
                hpkeKeys.add(hpkeKey);
        }
    }
    if (hpkeKeys.has(bytesToBase64(leafNode.hpkePublicKey)))
        return new ValidationError("hpke keys not unique");
    if (signatureKeys.has(bytesToBase64(leafNode.signaturePublicKey)))
        return new ValidationError("signature keys not unique");
}`,
  },
  {
    defect: 7,
    file: "clientState.js",
    from: `        throwIfDefined(await validateKeyPackage(proposal.add.keyPackage, gc, ratchetTree, sentByClient, lifetimeConfig, authService, s));
        const [tree, ws] = await acc;`,
    to: `        const [tree, ws] = await acc;
        throwIfDefined(await validateKeyPackage(proposal.add.keyPackage, gc, tree, sentByClient, lifetimeConfig, authService, s));`,
  },

  // 8. Not a defect: an option of createCommit that puts a path in a commit of Adds alone. Our profile
  // requires a path in every commit, so that each one heals the committer's keys.
  {
    defect: 8,
    file: "createCommit.js",
    from: `authenticatedData = new Uint8Array(), groupInfoExtensions = [], } = options ?? {};`,
    to: `authenticatedData = new Uint8Array(), groupInfoExtensions = [], requirePath = false, } = options ?? {};`,
  },
  {
    defect: 8,
    file: "createCommit.js",
    from: ` = res.needsUpdatePath
`,
    to: ` = res.needsUpdatePath || requirePath
`,
  },
  {
    defect: 8,
    file: "createCommit.d.ts",
    from: `    ratchetTreeExtension?: boolean;`,
    to: `    ratchetTreeExtension?: boolean;
    requirePath?: boolean;`,
  },
];
