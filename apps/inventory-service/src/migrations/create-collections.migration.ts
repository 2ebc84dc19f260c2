import { createCollection } from './create-collection.js';
import type { Migration } from './migration.js';

const stock = {
  $and: [
    {
      $jsonSchema: {
        required: ['onHand', 'reserved', 'version', 'updatedAt'],
        properties: {
          _id: { bsonType: 'string' },
          onHand: { bsonType: 'int', minimum: 0 },
          reserved: { bsonType: 'int', minimum: 0 },
          version: { bsonType: 'long' },
          updatedAt: { bsonType: 'date' },
        },
      },
    },
    // Whatever a program does wrong: no more pieces are promised than there are.
    { $expr: { $lte: ['$reserved', '$onHand'] } },
  ],
};

const reservations = {
  $jsonSchema: {
    required: ['status', 'lines', 'shortages', 'events', 'createdAt', 'updatedAt'],
    properties: {
      _id: { bsonType: 'string' },
      status: { enum: ['reserved', 'rejected', 'released', 'withdrawn'] },
      lines: { bsonType: 'array' },
      shortages: { bsonType: 'array' },
      events: { bsonType: 'array', minItems: 1 },
      createdAt: { bsonType: 'date' },
      updatedAt: { bsonType: 'date' },
    },
  },
};

/** A document without one of these fields would stop the outbox connector. */
const outbox = {
  $jsonSchema: {
    required: ['aggregatetype', 'aggregateid', 'type', 'payload', 'traceparent', 'createdAt'],
    properties: {
      _id: { bsonType: 'objectId' },
      aggregatetype: { bsonType: 'string' },
      aggregateid: { bsonType: 'string' },
      type: { bsonType: 'string' },
      payload: { bsonType: 'binData' },
      traceparent: { bsonType: ['string', 'null'] },
      createdAt: { bsonType: 'date' },
    },
  },
};

const inbox = {
  $jsonSchema: {
    required: ['topic', 'handledAt'],
    properties: {
      _id: { bsonType: 'string' },
      topic: { bsonType: 'string' },
      handledAt: { bsonType: 'date' },
    },
  },
};

/** Collections that exist beforehand, so that no transaction has to create one, and refuse what has not their form. */
export const createCollections: Migration = {
  version: 1,
  name: 'create collections',
  async run(db) {
    for (const [name, validator] of Object.entries({ stock, reservations, outbox, inbox })) {
      await createCollection(db, name, validator);
    }
  },
};
