import { Injectable } from '@nestjs/common';

type Source = () => readonly string[];

/** Why the service's consumers are not ready: what readiness reports. */
@Injectable()
export class ConsumerHealth {
  readonly #sources = new Set<Source>();

  /** One sentence each; none when all is well. Looks at nothing outside the process. */
  reasons(): string[] {
    return [...this.#sources].flatMap((source) => [...source()]);
  }

  /** Adds to what is reported. */
  watch(source: Source): void {
    this.#sources.add(source);
  }
}
