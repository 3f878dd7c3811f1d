// The wire between the nodes' link ports: it stands in the link cards, and keeps what went through it.
import { createSocket } from "node:dgram";

export class Cable {
  #sockets = [];
  #kept = [];

  /** to lays a wire to a port of this machine and gives the address of its near end. */
  async to(port) {
    const front = await this.#socket();
    const backs = new Map();
    front.on("message", async (packet, from) => {
      this.#kept.push(packet);
      const key = `${from.address}:${from.port}`;
      if (!backs.has(key)) backs.set(key, this.#back(front, from));
      (await backs.get(key)).send(packet, port, "127.0.0.1");
    });
    return `127.0.0.1:${front.address().port}`;
  }

  /** bytes is everything that went through, both ways, in order. */
  bytes() {
    return Buffer.concat(this.#kept);
  }

  close() {
    for (const s of this.#sockets) s.close();
  }

  async #back(front, to) {
    const back = await this.#socket();
    back.on("message", (packet) => {
      this.#kept.push(packet);
      front.send(packet, to.port, to.address);
    });
    return back;
  }

  async #socket() {
    const s = createSocket("udp4");
    s.on("error", () => undefined); // a port that is closed for a while
    await new Promise((resolve) => s.bind(0, "127.0.0.1", resolve));
    this.#sockets.push(s);
    return s;
  }
}
