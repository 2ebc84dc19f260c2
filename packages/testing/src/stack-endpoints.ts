/** Where everything of a running stack is: `.millrace/stack.json`, and `inject('stack')` in a test of the real stack. */
export interface StackEndpoints {
  readonly version: 1;
  /** Tells stacks on one machine apart. */
  readonly name: string;
  readonly kafka: { readonly bootstrapServers: readonly string[] };
  /** The Schema Registry's Confluent API. */
  readonly registry: { readonly url: string };
  readonly connect: { readonly url: string };
  readonly databases: {
    /** The only superusers: for tests to make databases of their own with. */
    readonly postgresAdmin: string;
    readonly mongoAdmin: string;
    readonly orders: DatabaseUrls;
    readonly inventory: DatabaseUrls;
  };
  /** By service, one URL for each instance. */
  readonly services: Readonly<Record<string, readonly string[]>>;
  readonly processes: Readonly<Record<string, StackProcess>>;
}

/** One database by the role that asks: migrations, the service, change data capture, the bridge. */
export interface DatabaseUrls {
  readonly owner: string;
  readonly app: string;
  readonly cdc: string;
  readonly bridge: string;
}

export interface StackProcess {
  readonly pid: number;
  /** Absolute path of its log file. */
  readonly log: string;
}
