import { setTimeout as sleep } from 'node:timers/promises';

const TIMEOUT_MS = 15_000;
/** How long the workers may take to agree on who does what; until then they refuse what is asked. */
const REBALANCED_WITHIN_MS = 60_000;
const REBALANCE_POLL_MS = 250;

export interface ConnectorStatus {
  readonly connector: { readonly state: string; readonly trace?: string };
  readonly tasks: readonly { readonly state: string; readonly trace?: string }[];
}

export type ConnectorConfig = Readonly<Record<string, string>>;

/** A place in a source, in the terms of the connector's own kind. */
export type ConnectorOffset = Readonly<Record<string, unknown>>;

/** An answer of Connect that is not 2xx. */
export class ConnectRefusal extends Error {
  override readonly name = 'ConnectRefusal';
  readonly code = 'CONNECT_REFUSED';
  /** 409 while the workers rebalance, 404 until a status is known, 5xx while they start. */
  readonly canRetry: boolean;

  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.canRetry = status === 404 || status === 409 || status >= 500;
  }

  /** While connectors are deployed; Connect says so with 409, and with 500 where it expects one. */
  get isRebalance(): boolean {
    return this.status >= 409 && /rebalance/.test(this.message);
  }
}

/** The part of Kafka Connect's REST API that deployments and the bridge need; every call bounded by 15 s, and by a rebalance. */
export class ConnectApi {
  constructor(private readonly url: string) {}

  config(name: string, signal: AbortSignal): Promise<ConnectorConfig | undefined> {
    return orNone(this.call('GET', `${pathOf(name)}/config`, signal) as Promise<ConnectorConfig>);
  }

  /** The settings of every connector of the cluster, by its name, whosever they are. */
  async configs(signal: AbortSignal): Promise<ReadonlyMap<string, ConnectorConfig>> {
    const answer = await this.call('GET', '/connectors?expand=info', signal);
    const known = Object.entries(answer as Record<string, { info: { config: ConnectorConfig } }>);
    return new Map(known.map(([name, { info }]) => [name, info.config]));
  }

  /** Makes a connector that does not run until it is resumed. */
  async createStopped(name: string, config: ConnectorConfig, signal: AbortSignal): Promise<void> {
    await this.call('POST', '/connectors', signal, { name, config, initial_state: 'STOPPED' });
  }

  async putConfig(name: string, config: ConnectorConfig, signal: AbortSignal): Promise<void> {
    await this.call('PUT', `${pathOf(name)}/config`, signal, config);
  }

  async status(name: string, signal: AbortSignal): Promise<ConnectorStatus> {
    return (await this.call('GET', `${pathOf(name)}/status`, signal)) as ConnectorStatus;
  }

  async restartFailed(name: string, signal: AbortSignal): Promise<void> {
    await this.call('POST', `${pathOf(name)}/restart?includeTasks=true&onlyFailed=true`, signal);
  }

  /** Its tasks end; its settings and the place that it has read to stay. */
  async stop(name: string, signal: AbortSignal): Promise<void> {
    await this.call('PUT', `${pathOf(name)}/stop`, signal);
  }

  async resume(name: string, signal: AbortSignal): Promise<void> {
    await this.call('PUT', `${pathOf(name)}/resume`, signal);
  }

  /**
   * Where it has read to, an entry for each part of its source: none before it has read anything. They stay when a
   * connector is removed, for one that is made under the same name.
   */
  async offsets(name: string, signal: AbortSignal): Promise<ConnectorOffset[]> {
    const answer = await this.call('GET', `${pathOf(name)}/offsets`, signal);
    return (answer as { offsets: { offset: ConnectorOffset }[] }).offsets.map(({ offset }) => offset);
  }

  /** Forgets where a stopped connector has read to. */
  async forgetOffsets(name: string, signal: AbortSignal): Promise<void> {
    await this.call('DELETE', `${pathOf(name)}/offsets`, signal);
  }

  /** Does nothing where there is none. The place that it has read to stays, unless it was forgotten before. */
  async remove(name: string, signal: AbortSignal): Promise<void> {
    await orNone(this.call('DELETE', pathOf(name), signal));
  }

  private async call(method: string, path: string, signal: AbortSignal, body?: unknown): Promise<unknown> {
    const deadline = performance.now() + REBALANCED_WITHIN_MS;
    for (;;) {
      try {
        return await this.answer(method, path, signal, body);
      } catch (error) {
        const waits = error instanceof ConnectRefusal && error.isRebalance && performance.now() < deadline;
        if (!waits) throw error;
        await sleep(REBALANCE_POLL_MS, undefined, { signal });
      }
    }
  }

  private async answer(method: string, path: string, signal: AbortSignal, body?: unknown): Promise<unknown> {
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

function pathOf(name: string): string {
  return `/connectors/${encodeURIComponent(name)}`;
}

async function orNone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ConnectRefusal && error.status === 404) return undefined;
    throw error;
  }
}
