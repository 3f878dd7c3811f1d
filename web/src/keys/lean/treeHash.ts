// ts-mls/treeHash.js for goja (RFC 9420 §7.8): a commit asks for the hashes of the same leaves once for every parent hash and once for
// the tree. The library never changes a leaf node (a new leaf is a new object), so what a leaf hashes to is kept beside it.
import { leafNodeEncoder } from "ts-mls/leafNode.js";
import { nodeTypeEncoder } from "ts-mls/nodeType.js";
import { parentNodeEncoder } from "ts-mls/parentNode.js";
import { isLeaf, left, nodeToLeafIndex, right, rootFromNodeWidth } from "ts-mls/treemath.js";
import { uint32Encoder } from "./number";
import { optionalEncoder } from "./optional";
import { contramapBufferEncoders, encode, type Encoder } from "./tlsEncoder";
import { varLenDataEncoder } from "./variableLength";

interface Hash {
  digest(b: Uint8Array): Promise<Uint8Array>;
}
type Node = { readonly nodeType: "leaf"; readonly leaf: object } | { readonly nodeType: "parent"; readonly parent: object } | undefined;
type Index = Parameters<typeof isLeaf>[0];

const some = (enc: unknown) => optionalEncoder(enc as Encoder<object>) as Encoder<never>;
const nodeType = nodeTypeEncoder as unknown as Encoder<never>;

const encodeLeaf = encode(
  contramapBufferEncoders([nodeType, uint32Encoder, some(leafNodeEncoder)], (i: { index: number; leaf: object | undefined }) => ["leaf", i.index, i.leaf]),
);
const encodeParent = encode(
  contramapBufferEncoders([nodeType, some(parentNodeEncoder), varLenDataEncoder, varLenDataEncoder], (i: { parent: object | undefined; l: Uint8Array; r: Uint8Array }) => ["parent", i.parent, i.l, i.r]),
);

/** What each leaf node hashed to, and where it sat. */
const known = new WeakMap<object, { readonly index: number; readonly hash: Uint8Array }>();

export function treeHashRoot(tree: readonly Node[], h: Hash): Promise<Uint8Array> {
  return treeHash(tree, rootFromNodeWidth(tree.length) as Index, h);
}

export async function treeHash(tree: readonly Node[], at: Index, h: Hash): Promise<Uint8Array> {
  const node = tree[at];
  if (isLeaf(at)) {
    if (node?.nodeType === "parent") throw new Error("parent node in the place of a leaf");
    return leafHash(nodeToLeafIndex(at), node?.leaf, h);
  }
  if (node?.nodeType === "leaf") throw new Error("leaf node in the place of a parent");
  const l = await treeHash(tree, left(at), h);
  const r = await treeHash(tree, right(at), h);
  return h.digest(encodeParent({ parent: node?.parent, l, r }));
}

async function leafHash(index: number, leaf: object | undefined, h: Hash): Promise<Uint8Array> {
  const before = leaf === undefined ? undefined : known.get(leaf);
  if (before?.index === index) return before.hash;
  const hash = await h.digest(encodeLeaf({ index, leaf }));
  if (leaf !== undefined) known.set(leaf, { index, hash });
  return hash;
}
