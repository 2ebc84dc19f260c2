import { randomUUID } from 'node:crypto';
import { eventContract, type RecordSchema } from '@millrace/schemas';
import type {} from '@millrace/testing';
import { beforeEach, describe, expect, inject, it } from 'vitest';
import { AvroCodec } from './avro.codec.js';
import { contractsByName } from './codec.js';
import { registerSchemas } from './register-schemas.js';
import { SchemaRegistry } from './schema-registry.js';

const { url } = inject('stack').registry;

const orderId = { name: 'orderId', type: 'string' };
const amount = (scale: number) => ({
  name: 'amount',
  type: { type: 'bytes', logicalType: 'decimal', precision: 18, scale },
});
const note = { name: 'note', type: ['null', 'string'], default: null };
const required = { name: 'required', type: 'string' };

interface Paid {
  readonly orderId: string;
  readonly amount: string;
}

/** A subject of each test's own. */
let namespace: string;
beforeEach(() => {
  namespace = `millrace.test_${randomUUID().replaceAll('-', '')}`;
});

function paid(...fields: RecordSchema['fields'][number][]) {
  return eventContract<Paid>({
    topic: 'payment.events',
    schema: { type: 'record', name: 'Paid', namespace, fields },
    key: (event) => event.orderId,
  });
}

async function ruleOf(subject: string): Promise<unknown> {
  return (await fetch(`${url}/config/${subject}`)).json();
}

async function setRule(subject: string, compatibility: string): Promise<void> {
  const headers = { 'content-type': 'application/vnd.schemaregistry.v1+json' };
  const body = JSON.stringify({ compatibility });
  await fetch(`${url}/config/${subject}`, { method: 'PUT', headers, body });
}

async function versionsOf(subject: string): Promise<unknown> {
  return (await fetch(`${url}/subjects/${subject}/versions`)).json();
}

describe('registerSchemas', () => {
  it('puts a schema under its subject with the rule BACKWARD, once however often it runs', async () => {
    const contract = paid(orderId, amount(4));
    for (let run = 0; run < 3; run++) await registerSchemas(url, [contract]);
    expect(await versionsOf(contract.subject)).toEqual([1]);
    expect(await ruleOf(contract.subject)).toEqual({ compatibilityLevel: 'BACKWARD' });
  });

  it('can run several times at the same moment', async () => {
    const contract = paid(orderId, amount(4));
    await Promise.all(Array.from({ length: 6 }, () => registerSchemas(url, [contract])));
    expect(await versionsOf(contract.subject)).toEqual([1]);
    expect(await ruleOf(contract.subject)).toEqual({ compatibilityLevel: 'BACKWARD' });
  });

  it('adds a compatible version, and the one before it stays readable', async () => {
    const first = paid(orderId, amount(4));
    const second = paid(orderId, amount(4), note);
    await registerSchemas(url, [first]);
    await registerSchemas(url, [second]);
    expect(await versionsOf(first.subject)).toEqual([1, 2]);
    const registry = new SchemaRegistry({ url });
    const event = { orderId: 'o', amount: '1.5000' };
    const old = new AvroCodec(registry, await registry.resolveIds([first])).encode(first, event);
    const decoded = await new AvroCodec(registry).decode(old, contractsByName([second]));
    expect(decoded).toMatchObject({ kind: 'event', event: { ...event, note: null } });
  });

  it.each([
    ['a new field without a default', [orderId, amount(4), required]],
    ["another scale, which the registry's own rule lets pass", [orderId, amount(2)]],
  ])('refuses %s, naming the subject, and registers nothing', async (_, fields) => {
    const first = paid(orderId, amount(4));
    await registerSchemas(url, [first]);
    const error: unknown = await registerSchemas(url, [paid(...fields)]).catch((reason) => reason);
    expect(error).toMatchObject({
      name: 'IncompatibleSchemaError',
      code: 'SCHEMA_INCOMPATIBLE',
      canRetry: false,
    });
    expect(String(error)).toContain(`subject "${first.subject}"`);
    expect(await versionsOf(first.subject)).toEqual([1]);
  });

  it("refuses what the subject's rule refuses, though the latest version could be read", async () => {
    const optional = { ...required, default: '' };
    await registerSchemas(url, [paid(orderId, amount(4))]);
    const second = paid(orderId, amount(4), optional);
    await registerSchemas(url, [second]);
    await setRule(second.subject, 'BACKWARD_TRANSITIVE');
    const error: unknown = await registerSchemas(url, [paid(orderId, amount(4), required)]).catch(
      (reason) => reason,
    );
    expect(error).toMatchObject({ code: 'SCHEMA_INCOMPATIBLE', canRetry: false });
    expect(String(error)).toContain(`subject "${second.subject}"`);
    expect(await versionsOf(second.subject)).toEqual([1, 2]);
  });

  it('sets the rule of a subject that was there without one, and leaves a stricter one alone', async () => {
    const contract = paid(orderId, amount(4));
    await registerSchemas(url, [contract]);
    await setRule(contract.subject, 'NONE');
    await registerSchemas(url, [contract]);
    expect(await ruleOf(contract.subject)).toEqual({ compatibilityLevel: 'BACKWARD' });
    await setRule(contract.subject, 'FULL');
    await registerSchemas(url, [contract]);
    expect(await ruleOf(contract.subject)).toEqual({ compatibilityLevel: 'FULL' });
  });
});

describe('SchemaRegistry', () => {
  it('finds what was registered: an event written by one service is read by another', async () => {
    const contract = paid(orderId, amount(4));
    await registerSchemas(url, [contract]);
    const ids = await new SchemaRegistry({ url }).resolveIds([contract]);
    const event = { orderId: 'o', amount: '-99999999999999.9999' };
    const bytes = new AvroCodec(new SchemaRegistry({ url }), ids).encode(contract, event);
    expect(bytes.readUInt32BE(1)).toBe(ids.get(contract));
    const decoded = await new AvroCodec(new SchemaRegistry({ url })).decode(
      bytes,
      contractsByName([contract]),
    );
    expect(decoded).toEqual({ kind: 'event', contract, event });
  });

  it('registers nothing: a contract that is not there is refused by its subject', async () => {
    const contract = paid(orderId, amount(4));
    const registry = new SchemaRegistry({ url });
    const refused = { name: 'SchemaNotRegisteredError', code: 'SCHEMA_NOT_REGISTERED', canRetry: false };
    await expect(registry.resolveIds([contract])).rejects.toMatchObject(refused);
    await registerSchemas(url, [contract]);
    // Nor is another version of it what this service writes.
    const newer = paid(orderId, amount(4), note);
    await expect(registry.resolveIds([newer])).rejects.toMatchObject(refused);
    await expect(registry.resolveIds([newer])).rejects.toThrow(contract.subject);
    expect(await versionsOf(contract.subject)).toEqual([1]);
  });

  it.each([0, 2_147_483_647, 2_147_483_648, 4_294_967_295])('does not know id %d', async (id) => {
    const registry = new SchemaRegistry({ url });
    const bytes = Buffer.alloc(6);
    bytes.writeUInt32BE(id, 1);
    const decoding = Promise.resolve(new AvroCodec(registry).decode(bytes, new Map()));
    await expect(decoding).rejects.toMatchObject({
      name: 'UnknownSchemaError',
      code: 'SCHEMA_UNKNOWN',
      canRetry: false,
    });
  });
});
