import { silentLog, TopicOffsets } from '@millrace/messaging';
import { LogDecoder, LogReader, type StackEndpoints } from '@millrace/testing';

interface Envelope {
  readonly op: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly source: { readonly lsn?: unknown; readonly txId?: unknown };
}

/** What stands in change topics, read and decoded by none of the bridge's code. */
export class StreamedChanges {
  private constructor(
    readonly stack: StackEndpoints,
    readonly topics: readonly string[],
    private readonly since: ReadonlyMap<string, bigint>,
  ) {}

  /** Those that are written from now on. */
  static async fromNow(stack: StackEndpoints, topics: readonly string[]): Promise<StreamedChanges> {
    const reader = await LogReader.fromNow(stack.kafka.bootstrapServers, topics);
    await reader.close();
    return new StreamedChanges(stack, topics, reader.positions);
  }

  static fromBeginning(stack: StackEndpoints, topics: readonly string[]): StreamedChanges {
    return new StreamedChanges(stack, topics, new Map());
  }

  /**
   * By topic, how many changes of each kind (`c`, `u`, `d`, `r`) are committed in it, and those that are there more
   * than once: a change is told by its place in Postgres' log, and by the images of its row or document.
   */
  async count(): Promise<
    Record<string, { readonly ops: Record<string, number>; readonly repeated: string[] }>
  > {
    const reader = await LogReader.after(this.stack.kafka.bootstrapServers, this.topics, this.since);
    const records = await reader.read().finally(() => reader.close());
    const decoder = new LogDecoder(this.stack.registry.url);
    const found = Object.fromEntries(
      this.topics.map((topic) => [topic, { ops: {} as Record<string, number>, repeated: [] as string[] }]),
    );
    const seen = new Set<string>();
    for (const { topic, value } of records) {
      const counted = found[topic];
      if (value === null || !counted) continue;
      const { op, before, after, source } = (await decoder.decode(value)).event as Envelope;
      counted.ops[op] = (counted.ops[op] ?? 0) + 1;
      const change = text([topic, op, source.lsn, source.txId, before, after]);
      if (op !== 'r' && seen.has(change)) counted.repeated.push(change);
      seen.add(change);
    }
    return found;
  }
}

/** How many records a topic holds at most; the marks of transactions count. */
export async function recordsIn(stack: StackEndpoints, topic: string): Promise<number> {
  const offsets = new TopicOffsets({
    brokers: stack.kafka.bootstrapServers,
    clientId: 'records-in',
    log: silentLog,
  });
  const ranges = await offsets.ranges(topic).finally(() => offsets.close());
  return ranges.reduce((sum, { low, high }) => sum + Number(high - low), 0);
}

const text = (value: unknown) =>
  JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? `${each}n` : each));
