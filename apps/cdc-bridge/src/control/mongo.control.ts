import { randomUUID } from 'node:crypto';
import type { Collection, Db } from 'mongodb';
import type { Control, ControlStore, LastError } from './control.js';

interface ControlDocument {
  _id: string;
  paused?: boolean;
  sweep?: { id: string; reason: string; requestedAt: Date } | null;
  snapshot?: string;
  declaration?: string;
  lastError?: { code: string; message: string; at: Date };
}

/** Controls of the pipelines into a MongoDB, in the bridge's own database. */
export class MongoControl implements ControlStore {
  readonly #collection: Collection<ControlDocument>;

  constructor(own: Db) {
    this.#collection = own.collection('pipelines');
  }

  async all(): Promise<ReadonlyMap<string, Control>> {
    const found = await this.#collection.find().toArray();
    return new Map(found.map((document) => [document._id, controlOf(document)]));
  }

  setPaused(pipeline: string, paused: boolean): Promise<void> {
    return this.#set(pipeline, { paused });
  }

  requestSweep(pipeline: string, reason: string): Promise<void> {
    return this.#set(pipeline, { sweep: { id: randomUUID(), reason, requestedAt: new Date() } });
  }

  async sweepDone(pipeline: string, id: string): Promise<void> {
    await this.#collection.updateOne({ _id: pipeline, 'sweep.id': id }, { $set: { sweep: null } });
  }

  rememberSnapshot(pipeline: string, snapshot: string): Promise<void> {
    return this.#set(pipeline, { snapshot });
  }

  rememberDeclaration(pipeline: string, declaration: string): Promise<void> {
    return this.#set(pipeline, { declaration });
  }

  setLastError(pipeline: string, lastError: LastError): Promise<void> {
    return this.#set(pipeline, { lastError });
  }

  async remove(pipeline: string): Promise<void> {
    await this.#collection.deleteOne({ _id: pipeline });
  }

  async #set(pipeline: string, values: Partial<Omit<ControlDocument, '_id'>>): Promise<void> {
    await this.#collection.updateOne({ _id: pipeline }, { $set: values }, { upsert: true });
  }
}

function controlOf({ paused, sweep, snapshot, declaration, lastError }: ControlDocument): Control {
  return {
    paused: paused ?? false,
    sweep: sweep ?? null,
    snapshot: snapshot ?? null,
    declaration: declaration ?? null,
    lastError: lastError ?? null,
  };
}
