/**
 * A TCP connection that can be cut: listens on a port of its own and passes on to another. After `hold` nothing is on its
 * way and all that has arrived is acknowledged; a cut without it comes in the middle of anything.
 */

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** What was passed on is acknowledged within so long. */
const HOLD_MILLIS = 1500;

export class CuttableLink {
  readonly #server: Server;
  readonly #pairs = new Map<Socket, Socket>();
  #target = 0;
  #up = true;

  static async open(target: number): Promise<CuttableLink> {
    const link = new CuttableLink(target);
    await new Promise<void>((listens) => link.#server.listen(0, '127.0.0.1', listens));
    return link;
  }

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((near) => this.#connected(near));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get isUp(): boolean {
    return this.#up;
  }

  /** Passes nothing on any more, but answers still come back. */
  async hold(): Promise<void> {
    this.#up = false;
    for (const [near, far] of this.#pairs) near.unpipe(far).pause();
    await new Promise((done) => setTimeout(done, HOLD_MILLIS));
  }

  cut(): void {
    this.#up = false;
    for (const near of this.#pairs.keys()) near.destroy();
  }

  /** target: the port to pass on to from now on. */
  restore(target = this.#target): void {
    this.#target = target;
    this.#up = true;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #connected(near: Socket): void {
    near.on('error', () => {});
    if (!this.#up) {
      near.destroy();
      return;
    }
    const far = connect(this.#target, '127.0.0.1').on('error', () => {});
    this.#pairs.set(near, far);
    near.once('data', (head: Buffer) => {
      far.write(this.#renamed(head));
      near.pipe(far);
    });
    far.pipe(near);
    near.once('close', () => {
      this.#pairs.delete(near);
      far.destroy();
    });
    far.once('close', () => near.destroy());
  }

  /** The first bytes of a connection, with the name of the other side as its host: it answers to no other. */
  #renamed(head: Buffer): Buffer {
    const text = head.toString('latin1').replace(/^(Host: .*:)\d+/im, `$1${this.#target}`);
    return Buffer.from(text, 'latin1');
  }
}
