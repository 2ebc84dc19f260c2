import type { EventContract } from '@millrace/schemas';
import type { Codec } from '../codec/index.js';
import { activeTraceparent } from '../tracing.js';

/** An outbox row's content, for either database: the finished record, and where it goes. */
export interface OutboxRecord {
  readonly topic: string;
  readonly key: string;
  readonly type: string;
  readonly payload: Buffer;
  readonly traceparent: string | null;
}

/** @throws EncodeError @throws SchemaNotRegisteredError */
export function outboxRecord<T>(
  codec: Pick<Codec, 'encode'>,
  contract: EventContract<T>,
  event: NoInfer<T>,
): OutboxRecord {
  return {
    topic: contract.topic,
    key: contract.key(event),
    type: contract.name,
    payload: codec.encode(contract, event),
    traceparent: activeTraceparent(),
  };
}
