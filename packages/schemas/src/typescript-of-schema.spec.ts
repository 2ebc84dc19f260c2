import { describe, expect, it } from 'vitest';
import { type Schema, typescriptOf } from '../scripts/typescript-of-schema.js';

const event = (...fields: { name: string; type: Schema; doc?: string }[]): Schema => ({
  type: 'record',
  name: 'ThingHappened',
  namespace: 'a.b',
  fields,
});
const generate = (type: Schema) => typescriptOf(event({ name: 'field', type }), 'avro/thing-happened.avsc');

describe('the generated types', () => {
  it.each<[Schema, string]>([
    ['boolean', 'boolean'],
    ['int', 'number'],
    ['long', 'bigint'],
    ['double', 'number'],
    ['bytes', 'Buffer'],
    ['string', 'string'],
    [{ type: 'long', logicalType: 'timestamp-millis' }, 'Date'],
    [{ type: 'bytes', logicalType: 'decimal' }, 'string'],
    [['null', 'string'], 'string | null'],
    [['null', { type: 'long', logicalType: 'timestamp-millis' }], 'Date | null'],
    [{ type: 'array', items: 'long' }, 'readonly bigint[]'],
    [{ type: 'array', items: ['null', 'int'] }, 'readonly (number | null)[]'],
    [{ type: 'map', values: 'int' }, '{ readonly [key: string]: number }'],
    [{ type: 'enum', name: 'Colour', symbols: ['RED', 'BLUE'] }, "'RED' | 'BLUE'"],
    ['ThingHappened', 'ThingHappened'],
    ['a.b.ThingHappened', 'ThingHappened'],
  ])('%j is %s', (schema, type) => {
    expect(generate(schema)).toContain(`  readonly field: ${type};\n`);
  });

  it('have an interface for each record, the event first, with the comments of the schema', () => {
    const line: Schema = {
      type: 'record',
      name: 'Line',
      doc: 'A line.',
      fields: [{ name: 'n', type: 'int' }],
    };
    const text = typescriptOf(
      event({ name: 'lines', type: { type: 'array', items: line }, doc: 'All */ lines.' }),
      'avro/thing-happened.avsc',
    );
    expect(text).toContain(
      'export interface ThingHappened {\n  /** All * / lines. */\n  readonly lines: readonly Line[];\n}\n',
    );
    expect(text.indexOf('interface ThingHappened')).toBeLessThan(text.indexOf('interface Line'));
    expect(text).toContain('/** A line. */\nexport interface Line {');
    expect(text).toContain('export const thingHappenedSchema: RecordSchema = {');
  });

  it.each<[Schema, string]>([
    ['nope', 'unknown type "nope"'],
    [{ type: 'long', logicalType: 'timestamp-micros' }, 'unknown logical type "timestamp-micros"'],
    [['string', 'int'], 'only a union of null and one other type'],
    [{ type: 'array' }, '"items" is missing'],
    [{ type: 'enum', name: 'E', symbols: ["'; evil(); '"] }, 'is not a name'],
  ])('%j is refused by the name of its field', (schema, message) => {
    expect(() => generate(schema)).toThrow(/^avro\/thing-happened\.avsc\.field/);
    expect(() => generate(schema)).toThrow(message);
  });
});
