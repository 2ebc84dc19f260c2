import type avsc from 'avsc';

/** Where a part of a full name begins with a digit, as the name of a table may: Kafka Connect takes that, Avro does not. */
const BEFORE_DIGIT = /(?<=^|\.)(?=\d)/g;

/** The schema with names, of its own level, that Avro takes; the same schema where it has no others. */
export function withAvroNames(schema: avsc.Schema): avsc.Schema {
  if (typeof schema === 'string') return mended(schema);
  const { name, namespace } = schema as { name?: unknown; namespace?: unknown };
  const names = {
    ...(typeof name === 'string' && { name: mended(name) }),
    ...(typeof namespace === 'string' && { namespace: mended(namespace) }),
  };
  const isSame = Object.entries(names).every(([key, value]) => value === Object(schema)[key]);
  return isSame ? schema : ({ ...(schema as object), ...names } as avsc.Schema);
}

function mended(name: string): string {
  return name.replace(BEFORE_DIGIT, '_');
}
