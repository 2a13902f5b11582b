/** Packet buffers used in turn: a send the kernel cannot take at once still reads its buffer for a while. */
const BUFFERS = 8;

interface PacketBuffer {
  readonly bytes: Uint8Array;
  /** Of what stood in it last. */
  view: Uint8Array;
}

/** Buffers for packets on their way out: what stands in one stays untouched for the next seven packets. */
export class PacketBuffers {
  readonly #buffers: readonly PacketBuffer[];
  #turn = 0;

  constructor(packetBytes: number) {
    this.#buffers = Array.from({ length: BUFFERS }, () => {
      const bytes = new Uint8Array(packetBytes);
      return { bytes, view: bytes };
    });
  }

  /** Where the next packet is written. */
  get next(): Uint8Array {
    return this.#buffers[this.#turn]!.bytes;
  }

  /** The packet of this length that was written there; the one behind it goes elsewhere. */
  take(length: number): Uint8Array {
    const buffer = this.#buffers[this.#turn]!;
    this.#turn = (this.#turn + 1) % BUFFERS;
    // Most packets of a call are as long as those before.
    if (buffer.view.length !== length) buffer.view = buffer.bytes.subarray(0, length);
    return buffer.view;
  }
}
