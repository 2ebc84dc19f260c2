import type { OneWayPipeline } from '../pipelines/pipeline.schema.js';
import type { Delete, Fields, Key, Put } from '../sinks/compaction.js';

/** With `deletes: mark`, the field with the time at which the source lost the row; null while it has it. */
export const DELETED_AT = 'deleted_at';

/** What a deletion at the source does at the target. */
export class Deletions {
  /** @param fields the fields outside of the key that the pipeline writes, `deleted_at` not among them */
  constructor(
    private readonly deletes: OneWayPipeline['deletes'],
    private readonly fields: () => readonly string[],
  ) {}

  /** The fields that a row has besides those of the source. */
  get ofLiving(): Fields {
    return this.deletes === 'mark' ? { [DELETED_AT]: null } : {};
  }

  get ignored(): boolean {
    return this.deletes === 'ignore';
  }

  /** @returns null where the row stays as it is */
  gone(key: Key, at: Date): Delete | Put | null {
    if (this.deletes === 'ignore') return null;
    if (this.deletes === 'apply') return { kind: 'delete', key };
    const fields = { ...key.fields, [DELETED_AT]: at };
    return { kind: 'put', key, fields, omitted: this.fields(), isNew: false, ifThere: true };
  }

  /** Whether a row of the target may be one that the source no longer has. */
  mayBeGone(fields: Fields): boolean {
    if (this.deletes === 'ignore') return true;
    const mark = Object.hasOwn(fields, DELETED_AT) ? fields[DELETED_AT] : null;
    return this.deletes === 'mark' && mark !== null && mark !== undefined;
  }
}
