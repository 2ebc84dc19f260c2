import type { ClientBase } from 'pg';
import type { Step } from '../databases/step.js';
import { sourcesOf, targetsOf } from '../pipelines/endpoint.js';
import type { MongoToPostgres, Pipeline } from '../pipelines/pipeline.schema.js';
import { quoteName, quoteTable, tableNameOf } from '../postgres/identifier.js';
import { sequencesOf } from '../postgres/key-sequence.js';
import { keyColumns, readColumns } from '../postgres/table-columns.js';

const SEQUENCE_RIGHTS = 'usage, select, update';

/** What lets the bridge's role move the sequences of a target's key past keys that come from the source. */
export async function sequenceSteps(owner: ClientBase, role: string, table: string): Promise<Step[]> {
  const found = await keySequences(owner, role, table);
  return found
    .filter(({ granted }) => !granted)
    .map(({ name }) => ({
      what: `rights of ${quoteName(role)} on the sequence ${name}, to move it past keys that come from MongoDB`,
      sql: `grant ${SEQUENCE_RIGHTS} on sequence ${name} to ${quoteName(role)}`,
    }));
}

/**
 * What takes a pipeline's rights away from the bridge's role: those that other pipelines need of the same table or
 * schema stay, and those that the role has by another way than a grant of its own.
 */
export async function revocations(
  owner: ClientBase,
  role: string,
  pipeline: MongoToPostgres,
  others: readonly Pipeline[],
): Promise<Step[]> {
  const table = tableNameOf(pipeline.to.table);
  const [name, to] = [quoteTable(table), quoteName(role)];
  const kept = others.flatMap((other) =>
    [...sourcesOf(other), ...targetsOf(other)].filter(
      ({ kind, database }) => kind === 'postgres' && database === pipeline.to.postgres,
    ),
  );
  const isRead = kept.some((endpoint) => endpoint.name === pipeline.to.table);
  const isSchemaKept = kept.some((endpoint) => tableNameOf(endpoint.name).schema === table.schema);
  const own = await grantsOf(owner, role, name, table.schema);
  if (!own.there) return [];
  const rights = ['select', 'insert', 'update', 'delete'].filter(
    (right) => own.table.includes(right) && !(isRead && right === 'select'),
  );
  const sequences = await keySequences(owner, role, pipeline.to.table);
  return [
    ...(rights.length === 0 ? [] : [revoke(rights.join(', '), name, to)]),
    ...sequences
      .filter(({ granted }) => granted)
      .map((sequence) => revoke(SEQUENCE_RIGHTS, `sequence ${sequence.name}`, to)),
    ...(own.schema && !isSchemaKept ? [revoke('usage', `schema ${quoteName(table.schema)}`, to)] : []),
  ];
}

function revoke(rights: string, on: string, role: string): Step {
  return { what: `${rights} on ${on} revoked from ${role}`, sql: `revoke ${rights} on ${on} from ${role}` };
}

async function keySequences(owner: ClientBase, role: string, name: string) {
  const table = tableNameOf(name);
  return sequencesOf(owner, table, { columns: keyColumns(await readColumns(owner, table)) }, role);
}

interface Grants {
  readonly there: boolean;
  readonly table: readonly string[];
  readonly schema: boolean;
}

/** Those that were given to the role itself. */
async function grantsOf(owner: ClientBase, role: string, table: string, schema: string): Promise<Grants> {
  const { rows } = await owner.query<Grants>(
    `select to_regclass($2) is not null as there,
            array(select lower(a.privilege_type) from pg_class c, aclexplode(c.relacl) a
                  where c.oid = to_regclass($2) and a.grantee = to_regrole($1)) as "table",
            exists (select from pg_namespace n, aclexplode(n.nspacl) a
                    where n.nspname = $3 and a.grantee = to_regrole($1) and a.privilege_type = 'USAGE') as schema`,
    [quoteName(role), table, schema],
  );
  return rows[0] as Grants;
}
