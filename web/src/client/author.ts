// The author: makes acts and statements of identity, signed by the device.
import { encode } from "../words/canon";
import { contextAct, idOf, version, type Act } from "../words/act";
import type { Device } from "../identity/device";
import { hex } from "../words/bytes";

const nonceSize = 16;

export interface MadeAct {
  /** Hex of the act id. */
  readonly id: string;
  readonly idBytes: Uint8Array;
  readonly kind: string;
  /** Canonical act.Signed. */
  readonly signed: Uint8Array<ArrayBuffer>;
}

export class Author {
  readonly device: Device;
  readonly side: Uint8Array;
  readonly #now: () => number;

  constructor(device: Device, side: Uint8Array, now: () => number) {
    this.device = device;
    this.side = side;
    this.#now = now;
  }

  /** act signs an act of the device. body is the structure that kind names (internal/act/body.go). */
  async act(scope: Uint8Array, kind: string, body: object): Promise<MadeAct> {
    const act: Act = {
      v: version,
      scope,
      kind,
      side: this.side,
      key: this.device.publicKey,
      at: Math.max(0, Math.floor(this.#now())),
      nonce: crypto.getRandomValues(new Uint8Array(nonceSize)),
      body: encode(body),
    };
    const bytes = encode(act);
    const sig = await this.device.sign(contextAct, bytes);
    const idBytes = idOf(bytes);
    return { id: hex(idBytes), idBytes, kind, signed: encode({ act: bytes, sig }) };
  }

  /** statement signs a structure of package ident: canonical ident.Signed. */
  async statement(context: string, body: object): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = encode(body);
    return encode({ body: bytes, ed25519: await this.device.sign(context, bytes) });
  }
}
