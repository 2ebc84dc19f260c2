import type { ConsumedRecord, DeadLetterCause, DeadLetters } from '@millrace/messaging';
import { groupOf } from '../names/bridge-names.js';

/** Counts the dead letters of each pipeline: the error that tells of one is overwritten by the next. */
export class CountedDeadLetters implements Pick<DeadLetters, 'write'> {
  /** By the pipeline's consumer group. */
  readonly #counts = new Map<string, number>();

  constructor(private readonly letters: Pick<DeadLetters, 'write'>) {}

  async write(record: ConsumedRecord, cause: DeadLetterCause): ReturnType<DeadLetters['write']> {
    const position = await this.letters.write(record, cause);
    this.#counts.set(cause.group, (this.#counts.get(cause.group) ?? 0) + 1);
    return position;
  }

  /** Since this process began. */
  of(pipeline: string): number {
    return this.#counts.get(groupOf(pipeline)) ?? 0;
  }
}
