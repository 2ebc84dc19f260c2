import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between a client and a server, and can cut or freeze what passes: the server away, or hung. */
export class TcpProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #mode: 'pass' | 'refuse' | 'freeze' = 'pass';

  private constructor(host: string, port: number) {
    this.#server = createServer((near) => {
      if (this.#mode === 'refuse') {
        near.destroy();
        return;
      }
      const far = connect(port, host);
      this.#couple(near, far);
      this.#couple(far, near);
    });
  }

  static async to(host: string, port: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(host, port);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  pass(): void {
    this.#mode = 'pass';
    this.#cut();
  }

  refuse(): void {
    this.#mode = 'refuse';
    this.#cut();
  }

  /** Connections stay and no byte passes. */
  freeze(): void {
    this.#mode = 'freeze';
  }

  #couple(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on('data', (bytes) => {
      if (this.#mode === 'pass') to.write(bytes);
    });
    from.on('error', () => from.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }

  #cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
