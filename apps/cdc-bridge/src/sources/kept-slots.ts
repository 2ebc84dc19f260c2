import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '@millrace/messaging';
import type { NamedDatabases } from '../databases/named-databases.js';
import { slotName } from '../names/bridge-names.js';
import { keptSlot, LAG_ALARM_BYTES, readSlot } from './replication-slot.js';

const POLL_MS = 10_000;

export interface KeptSlotsOptions {
  readonly databases: NamedDatabases;
  /** The Postgres databases that no pipeline reads. */
  readonly names: readonly string[];
  readonly log: Log;
  /** Default 10,000 ms. */
  readonly pollMs?: number;
  /** Of the log that a slot holds back. Default 512 MB. */
  readonly lagAlarmBytes?: number;
}

/**
 * Watches the slots that `apply` kept when a database's last pipeline left the file: nobody reads on there, and Postgres
 * keeps its log until the disk is full. Close it.
 */
export class KeptSlots {
  readonly #options: KeptSlotsOptions;
  readonly #alarms = new Map<string, string>();
  readonly #closing = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: KeptSlotsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = Promise.all(this.#options.names.map((name) => this.#watch(name)));
  }

  /** Which of them hold back more than they may, a sentence each. */
  notes(): string[] {
    return [...this.#alarms.values()];
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #watch(name: string): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.#look(name).catch(() => undefined); // while it does not answer, what was seen last stands
      await sleep(this.#options.pollMs ?? POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #look(name: string): Promise<void> {
    const { databases, log, lagAlarmBytes = LAG_ALARM_BYTES } = this.#options;
    const slot = await readSlot(databases.postgres(name).pool, slotName(name));
    if (!slot || slot.heldBytes <= lagAlarmBytes) {
      this.#alarms.delete(name);
      return;
    }
    const alarm = keptSlot(name, slot);
    if (!this.#alarms.has(name)) log.warn(alarm, { database: name });
    this.#alarms.set(name, alarm);
  }
}
