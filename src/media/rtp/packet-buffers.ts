/** Packet buffers used in turn: a send the kernel cannot take at once still reads its buffer for a while. */
const BUFFERS = 8;

/** Where one packet after the other is written. */
export class PacketBuffer {
  readonly bytes: Uint8Array;
  /** By length, of what stood in it before: most packets are as long as others before. */
  readonly #views: Uint8Array[] = [];

  constructor(packetBytes: number) {
    this.bytes = new Uint8Array(packetBytes);
  }

  /** The packet of this length that was written there: until the next one is. */
  packet(length: number): Uint8Array {
    let view = this.#views[length];
    if (view === undefined) {
      view = this.bytes.subarray(0, length);
      this.#views[length] = view;
    }
    return view;
  }
}

/** Buffers for packets on their way out: what stands in one stays untouched for the next seven packets. */
export class PacketBuffers {
  readonly #buffers: readonly PacketBuffer[];
  #turn = 0;

  constructor(packetBytes: number) {
    this.#buffers = Array.from({ length: BUFFERS }, () => new PacketBuffer(packetBytes));
  }

  /** Where the next packet is written. */
  get next(): Uint8Array {
    return this.#buffers[this.#turn]!.bytes;
  }

  /** The packet of this length that was written there; the one behind it goes elsewhere. */
  take(length: number): Uint8Array {
    const buffer = this.#buffers[this.#turn]!;
    this.#turn = (this.#turn + 1) % BUFFERS;
    return buffer.packet(length);
  }
}
