import { MongoClient } from 'mongodb';
import pg from 'pg';
import type { DatabaseUrls } from '../stack-endpoints.js';

interface PostgresRole {
  readonly oid: number;
  readonly powerful: boolean;
  readonly replicates: boolean;
  readonly memberships: readonly string[];
}

interface MongoRole {
  readonly authenticatedUsers: readonly { readonly user: string }[];
  readonly authenticatedUserRoles: readonly { readonly role: string; readonly db: string }[];
}

/** Where two roles are one, or one may do more than it needs: as each finds itself to be, once it is connected. */
export async function postgresRoleFaults(urls: DatabaseUrls): Promise<string[]> {
  const found = await ofEach(urls, async (connectionString) => {
    const client = new pg.Client({ connectionString });
    await client.connect();
    try {
      const { rows } = await client.query<PostgresRole>(
        `select r.oid, r.rolsuper or r.rolcreaterole or r.rolbypassrls as powerful, r.rolreplication as replicates,
                array(select m.rolname::text from pg_roles m
                      where m.oid <> r.oid and m.rolname <> 'pg_database_owner'
                        and pg_has_role(r.oid, m.oid, 'member')) as memberships
         from pg_roles r where r.rolname = current_user`,
      );
      return rows[0] as PostgresRole;
    } finally {
      await client.end();
    }
  });
  return [
    ...(new Set(found.map(({ oid }) => oid)).size < found.length ? ['two are one in Postgres'] : []),
    ...found
      .filter(({ role, powerful, replicates }) => powerful || (replicates && role !== 'cdc'))
      .map(({ role }) => `${role} may do too much in Postgres`),
    ...found
      .filter(({ memberships }) => memberships.length > 0)
      .map(({ role, memberships }) => `${role} is also ${memberships.join(', ')} in Postgres`),
  ];
}

/**
 * The same of MongoDB's users: rights on the server's own databases are too much, so no root, no clusterAdmin, no
 * __system.
 * @param own the databases in which they may have rights
 */
export async function mongoRoleFaults(urls: DatabaseUrls, own: readonly string[]): Promise<string[]> {
  const found = await ofEach(urls, async (url) => {
    await using client = await MongoClient.connect(url);
    const status = await client.db('admin').command({ connectionStatus: 1 });
    return status.authInfo as MongoRole;
  });
  const users = new Set(
    found.flatMap(({ authenticatedUsers }) => authenticatedUsers.map(({ user }) => user)),
  );
  return [
    ...(users.size < found.length ? ['two are one in MongoDB'] : []),
    ...found.flatMap(({ role, authenticatedUserRoles }) =>
      authenticatedUserRoles
        .filter((granted) => !own.includes(granted.db))
        .map((granted) => `${role} has ${granted.role} on ${granted.db} in MongoDB`),
    ),
  ];
}

function ofEach<T extends object>(
  urls: DatabaseUrls,
  look: (url: string) => Promise<T>,
): Promise<(T & { readonly role: string })[]> {
  return Promise.all(Object.entries(urls).map(async ([role, url]) => ({ role, ...(await look(url)) })));
}
