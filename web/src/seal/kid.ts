// The KID (RFC 9605 §5.2): context, leaf, residue of the epoch, 12 + 10 + 8 bits, so at most four bytes on the wire.
// internal/sframe has the same layout.

export const contextBits = 12;
export const leafBits = 10;
export const epochBits = 8;

export interface Kid {
  /** Which counter of the sender: one per track. */
  readonly context: number;
  readonly leaf: number;
  /** Epoch modulo 256: old keys live 10 s, and no group makes 256 epochs in 10 s. */
  readonly residue: number;
}

export function residueOf(epoch: bigint): number {
  return Number(epoch & ((1n << BigInt(epochBits)) - 1n));
}

export function encodeKid(context: number, leaf: number, epoch: bigint): bigint {
  if (!inRange(context, contextBits) || !inRange(leaf, leafBits)) throw new RangeError("KID field out of range");
  return (BigInt(context) << BigInt(leafBits + epochBits)) | (BigInt(leaf) << BigInt(epochBits)) | BigInt(residueOf(epoch));
}

/** Undefined when the KID has bits outside the layout. */
export function decodeKid(kid: bigint): Kid | undefined {
  if (kid < 0n || kid >= 1n << BigInt(contextBits + leafBits + epochBits)) return undefined;
  const v = Number(kid);
  return {
    context: v >> (leafBits + epochBits),
    leaf: (v >> epochBits) & ((1 << leafBits) - 1),
    residue: v & ((1 << epochBits) - 1),
  };
}

/**
 * The context of a track: 12 bits of a hash of its id, so that a receiver knows it from the signed announcement and a
 * node cannot pass one track of a person off as another. Two tracks that collide share one counter, which is safe.
 */
export async function trackContext(track: string): Promise<number> {
  const h = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`parley track context v1\0${track}`)));
  return (h[0]! << 4) | (h[1]! >> 4);
}

function inRange(v: number, bits: number): boolean {
  return Number.isInteger(v) && v >= 0 && v < 1 << bits;
}
