/** The parts of an Avro schema's JSON that the generator reads. */
export type Schema = string | readonly Schema[] | ComplexSchema;

interface ComplexSchema {
  readonly type: Schema;
  readonly name?: string;
  readonly namespace?: string;
  readonly doc?: string;
  readonly logicalType?: string;
  readonly fields?: readonly { readonly name: string; readonly type: Schema; readonly doc?: string }[];
  readonly items?: Schema;
  readonly values?: Schema;
  readonly symbols?: readonly string[];
}

const PRIMITIVES: Readonly<Record<string, string>> = {
  null: 'null',
  boolean: 'boolean',
  int: 'number',
  long: 'bigint',
  float: 'number',
  double: 'number',
  bytes: 'Buffer',
  string: 'string',
};

const LOGICAL: Readonly<Record<string, string>> = {
  'bytes decimal': 'string',
  'fixed decimal': 'string',
  'long timestamp-millis': 'Date',
};

/**
 * The TypeScript module of one event: an interface for each record in the schema, and the schema itself as
 * `<event>Schema`. The types are those of the values that `avro-types.ts` reads and writes.
 *
 * @throws Error naming the field, when a type has no single TypeScript counterpart: an unknown logical type, or
 * a union of more than null and one other type.
 */
export function typescriptOf(schema: Schema, file: string): string {
  if (!isRecord(schema) || !schema.namespace) {
    throw new Error(`${file}: an event is a record with a name and a namespace`);
  }
  const declarations: string[] = [];
  const named = new Map<string, string>();
  typeOf(schema, file, declarations, named);
  const variable = `${schema.name.charAt(0).toLowerCase()}${schema.name.slice(1)}Schema`;
  return [
    `// Generated from ${file} by scripts/generate.ts: change that file instead.`,
    `import type { RecordSchema } from '../record-schema.js';\n`,
    ...declarations,
    `export const ${variable}: RecordSchema = ${JSON.stringify(schema, null, 2)};\n`,
  ].join('\n');
}

function typeOf(schema: Schema, path: string, declarations: string[], named: Map<string, string>): string {
  const nested = (inner: Schema, step: string) => typeOf(inner, `${path}${step}`, declarations, named);
  if (typeof schema === 'string') {
    const type = named.get(schema.slice(schema.lastIndexOf('.') + 1)) ?? PRIMITIVES[schema];
    if (!type) throw new Error(`${path}: unknown type "${schema}"`);
    return type;
  }
  if (isUnion(schema)) {
    const others = schema.filter((branch) => branch !== 'null');
    const [only] = others;
    if (only === undefined || others.length > 1) {
      throw new Error(`${path}: only a union of null and one other type has a TypeScript type here`);
    }
    return `${nested(only, '')} | null`;
  }
  if (schema.logicalType !== undefined) {
    const type = LOGICAL[`${schema.type} ${schema.logicalType}`];
    if (!type) throw new Error(`${path}: unknown logical type "${schema.logicalType}" of ${schema.type}`);
    return type;
  }
  switch (schema.type) {
    case 'array': {
      const item = nested(required(schema.items, path, 'items'), '[]');
      return `readonly ${item.includes(' ') ? `(${item})` : item}[]`;
    }
    case 'map':
      return `{ readonly [key: string]: ${nested(required(schema.values, path, 'values'), '{}')} }`;
    case 'enum':
      return remember(schema, path, named, () =>
        required(schema.symbols, path, 'symbols')
          .map((symbol) => `'${identifier(symbol, path)}'`)
          .join(' | '),
      );
    case 'fixed':
      return remember(schema, path, named, () => 'Buffer');
    case 'record': {
      const name = identifier(schema.name, path);
      named.set(name, name);
      const place = declarations.push('') - 1; // keeps the event above the records that it contains
      const fields = required(schema.fields, path, 'fields').map((field) => {
        const type = nested(field.type, `.${field.name}`);
        return `${comment(field.doc, '  ')}  readonly ${identifier(field.name, path)}: ${type};\n`;
      });
      declarations[place] = `${comment(schema.doc)}export interface ${name} {\n${fields.join('')}}\n`;
      return name;
    }
    default:
      return nested(schema.type, '');
  }
}

function remember(
  schema: ComplexSchema,
  path: string,
  named: Map<string, string>,
  type: () => string,
): string {
  const written = type();
  named.set(identifier(schema.name, path), written);
  return written;
}

function required<T>(value: T | undefined, path: string, attribute: string): T {
  if (value === undefined) throw new Error(`${path}: "${attribute}" is missing`);
  return value;
}

/** Avro's rule for names, which also keeps a schema from writing code into the generated file. */
function identifier(name: string | undefined, path: string): string {
  if (!name || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new Error(`${path}: "${name}" is not a name`);
  return name;
}

function comment(doc: string | undefined, indent = ''): string {
  return doc === undefined ? '' : `${indent}/** ${doc.replaceAll('*/', '* /').replaceAll(/\s+/g, ' ')} */\n`;
}

function isUnion(schema: Schema): schema is readonly Schema[] {
  return Array.isArray(schema);
}

function isRecord(schema: Schema): schema is ComplexSchema & { readonly name: string } {
  return (
    typeof schema === 'object' && !isUnion(schema) && schema.type === 'record' && schema.name !== undefined
  );
}
