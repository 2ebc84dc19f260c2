import type { RecordPosition } from '../message-bus.js';
import { describePosition } from './delivery.js';

/** The partitions that wait for a record that fails, at most one record for each. */
export class Faults {
  readonly #byPartition = new Map<string, string>();

  set(position: RecordPosition, error: unknown): void {
    const code = codeOf(error);
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    const reason = `${describePosition(position)} fails and is retried: ${code ? `${code}, ` : ''}${text}`;
    this.#byPartition.set(partitionOf(position), reason.slice(0, 500));
  }

  clear(position: RecordPosition): void {
    this.#byPartition.delete(partitionOf(position));
  }

  reasons(): string[] {
    return [...this.#byPartition.values()];
  }
}

function partitionOf({ topic, partition }: RecordPosition): string {
  return `${topic}/${partition}`;
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}
