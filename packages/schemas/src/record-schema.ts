/** An Avro schema in its JSON form: https://avro.apache.org/docs/1.12.0/specification/ */
export type AvroSchema = string | readonly AvroSchema[] | { readonly [attribute: string]: unknown };

/** The Avro schema of one event: a record, whose full name is `namespace.name`. */
export interface RecordSchema {
  readonly type: 'record';
  readonly name: string;
  readonly namespace: string;
  readonly doc?: string;
  readonly fields: readonly {
    readonly name: string;
    readonly type: AvroSchema;
    readonly doc?: string;
    readonly default?: unknown;
  }[];
}
