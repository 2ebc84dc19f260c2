import { randomUUID } from 'node:crypto';
import { type EventContract, eventContract } from '@millrace/schemas';
import { AvroCodec, localSchemas } from '../codec/index.js';

export interface Noted {
  readonly key: string;
  readonly note: string;
}

/** Two event types on a topic of their own, and a codec that needs no registry. */
export interface TestEvents {
  readonly topic: string;
  readonly Noted: EventContract<Noted>;
  readonly Erased: EventContract<Noted>;
  readonly codec: AvroCodec;
}

export function testEvents(): TestEvents {
  const topic = `test-${randomUUID()}`;
  const contract = (name: string) =>
    eventContract<Noted>({
      topic,
      schema: {
        type: 'record',
        name,
        namespace: 'millrace.test',
        fields: [
          { name: 'key', type: 'string' },
          { name: 'note', type: 'string' },
        ],
      },
      key: ({ key }) => key,
    });
  const Noted = contract('Noted');
  const Erased = contract('Erased');
  const { schemas, ids } = localSchemas([Noted, Erased]);
  return { topic, Noted, Erased, codec: new AvroCodec(schemas, ids) };
}
