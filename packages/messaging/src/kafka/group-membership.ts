/**
 * Where a consumer stands with its group:
 *
 *     joining → settled ⇄ rebalancing
 *     any → silent: no heartbeat was answered for a session's time, so the group may have given its partitions away
 *     any → crashed: KafkaJS gave up; a new consumer is made after a pause, which is joining again
 */
export type MembershipState = 'joining' | 'settled' | 'rebalancing' | 'silent' | 'crashed' | 'closed';

export class GroupMembership {
  #state: MembershipState = 'joining';
  #heardAt: number;
  #cause = '';

  constructor(
    private readonly group: string,
    private readonly sessionTimeoutMs: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#heardAt = now();
  }

  get state(): MembershipState {
    return this.#state;
  }

  /** A member may have no partition, and is settled all the same. */
  joined(): void {
    this.heard();
    this.#state = 'settled';
  }

  /** KafkaJS may go on after a rebalance without having joined again; an answered heartbeat says that it is a member. */
  heard(): void {
    this.#heardAt = this.now();
    if (this.#state === 'silent' || this.#state === 'rebalancing') this.#state = 'settled';
  }

  rebalancing(): void {
    this.#state = 'rebalancing';
  }

  joining(): void {
    this.#heardAt = this.now();
    this.#state = 'joining';
  }

  crashed(cause: unknown): void {
    this.#state = 'crashed';
    this.#cause = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  }

  closed(): void {
    this.#state = 'closed';
  }

  /** @returns true in the moment when the session must be taken for lost */
  fellSilent(): boolean {
    if (this.#state !== 'settled' || this.silentForMs() < this.sessionTimeoutMs) return false;
    this.#state = 'silent';
    return true;
  }

  silentForMs(): number {
    return this.now() - this.#heardAt;
  }

  reasons(): string[] {
    const group = `consumer group ${this.group}`;
    switch (this.#state) {
      case 'settled':
        return [];
      case 'joining':
        return [`${group}: not joined yet`];
      case 'rebalancing':
        return [`${group}: rebalancing`];
      case 'silent':
        return [`${group}: no heartbeat answered for ${Math.round(this.silentForMs() / 1_000)} s`];
      case 'crashed':
        return [`${group}: the consumer crashed and is built anew: ${this.#cause}`];
      case 'closed':
        return [`${group}: closed`];
    }
  }
}
