import { connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between a service and its database, and can be broken as a network can. */
export class BreakableProxy implements AsyncDisposable {
  readonly #sockets = new Set<Socket>();
  #silent = false;

  private constructor(
    private readonly server: Server,
    private readonly target: { host: string; port: number },
    private readonly port: number,
  ) {}

  static async before(url: string): Promise<BreakableProxy> {
    const { hostname, port } = new URL(url);
    const server = createServer();
    const own = await listen(server, 0);
    const proxy = new BreakableProxy(server, { host: hostname, port: Number(port) }, own);
    server.on('connection', (socket) => proxy.#forward(socket));
    return proxy;
  }

  /** The same URL, by way of this proxy. */
  url(url: string): string {
    const through = new URL(url);
    through.host = `127.0.0.1:${this.port}`;
    return through.href;
  }

  /** As after a crash: connections are reset, new ones refused. */
  async down(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }

  async up(): Promise<void> {
    await listen(this.server, this.port);
  }

  /** As behind a lost route: connections stay or are taken, and nothing comes through. */
  silence(silent: boolean): void {
    this.#silent = silent;
    if (!silent) for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.server.listening) await this.down();
  }

  #forward(socket: Socket): void {
    const upstream = connect(this.target);
    for (const [from, to] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      this.#sockets.add(from);
      from.on('data', (bytes) => this.#silent || to.write(bytes));
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  return typeof address === 'object' && address ? address.port : port;
}
