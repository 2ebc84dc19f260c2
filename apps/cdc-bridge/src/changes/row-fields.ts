import { connectName } from '@millrace/schemas';
import type avsc from 'avsc';

/** A column as the writer's schema has it. */
export interface WrittenField {
  /** Its name in the record. */
  readonly name: string;
  readonly type: WrittenType;
}

export interface WrittenType {
  /** `int`, `long`, `string`, `array`: the Avro type of a value that is not null. */
  readonly avro: string;
  /** What Kafka Connect says that it means: `io.debezium.time.Date`. */
  readonly meaning: string | undefined;
  readonly items?: WrittenType;
}

interface RecordLike {
  readonly fields: readonly { readonly name: string; readonly type: avsc.Type }[];
}

/** The columns of the rows in an envelope of this schema, by their names in the table. */
export function rowFieldsOf(envelope: avsc.Type): ReadonlyMap<string, WrittenField> {
  const before = (envelope as unknown as Partial<RecordLike>).fields?.find(({ name }) => name === 'before');
  const row = before && present(before.type);
  const fields = (row as unknown as Partial<RecordLike> | undefined)?.fields ?? [];
  return new Map(fields.map(({ name, type }) => [columnName(name), { name, type: writtenType(type) }]));
}

/** Undoes `field.name.adjustment.mode=avro_unicode`: `a_u002db` is the column `a-b`. */
function columnName(field: string): string {
  return field.replace(/_u([0-9a-f]{4})/g, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}

function writtenType(nullable: avsc.Type): WrittenType {
  const type = present(nullable);
  const items = (type as { itemsType?: avsc.Type }).itemsType;
  return {
    // As avsc names a `long` that is read as a bigint.
    avro: type.typeName.replace('abstract:', ''),
    meaning: connectName(type),
    ...(items && { items: writtenType(items) }),
  };
}

/** The other type of a union with null. */
function present(type: avsc.Type): avsc.Type {
  const branches = (type as { types?: readonly avsc.Type[] }).types;
  return branches?.find(({ typeName }) => typeName !== 'null') ?? type;
}
