const TIMEOUT_MS = 15_000;

export interface ConnectorStatus {
  readonly connector: { readonly state: string; readonly trace?: string };
  readonly tasks: readonly { readonly state: string; readonly trace?: string }[];
}

export type ConnectorConfig = Readonly<Record<string, string>>;

/** An answer of Connect that is not 2xx. */
export class ConnectRefusal extends Error {
  override readonly name = 'ConnectRefusal';
  /** 409 while the workers rebalance, 404 until a status is known, 5xx while they start. */
  readonly canRetry: boolean;

  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.canRetry = status === 404 || status === 409 || status >= 500;
  }
}

/** The part of Kafka Connect's REST API that a deployment needs; every call bounded by 15 s. */
export class ConnectApi {
  constructor(private readonly url: string) {}

  async config(name: string, signal: AbortSignal): Promise<ConnectorConfig | undefined> {
    try {
      return (await this.call('GET', `/connectors/${name}/config`, signal)) as ConnectorConfig;
    } catch (error) {
      if (error instanceof ConnectRefusal && error.status === 404) return undefined;
      throw error;
    }
  }

  async putConfig(name: string, config: ConnectorConfig, signal: AbortSignal): Promise<void> {
    await this.call('PUT', `/connectors/${name}/config`, signal, config);
  }

  async status(name: string, signal: AbortSignal): Promise<ConnectorStatus> {
    return (await this.call('GET', `/connectors/${name}/status`, signal)) as ConnectorStatus;
  }

  async restartFailed(name: string, signal: AbortSignal): Promise<void> {
    await this.call('POST', `/connectors/${name}/restart?includeTasks=true&onlyFailed=true`, signal);
  }

  private async call(method: string, path: string, signal: AbortSignal, body?: unknown): Promise<unknown> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      ...(body !== undefined && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
    const text = await response.text();
    if (!response.ok)
      throw new ConnectRefusal(
        response.status,
        `Connect answered ${response.status} to ${method} ${path}: ${text}`,
      );
    return text === '' ? undefined : JSON.parse(text);
  }
}
