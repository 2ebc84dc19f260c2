/** Where and as whom a connector reaches its database; any part but the user may be `${env:…}`, which Connect fills in. */
export interface ConnectorAddress {
  readonly user: string;
  readonly password: string;
  /** For MongoDB all hosts with their ports, for Postgres one host. */
  readonly host: string;
  readonly port: string;
  readonly database: string;
  readonly options: Readonly<Record<string, string>>;
}

const PART = '(?:\\$\\{[^}]*\\}|[^:/?@$])*';
const HOSTS = '(?:\\$\\{[^}]*\\}|[^/?@$])+';
const PATH = `/(${PART})(?:\\?(.*))?$`;
const POSTGRES = new RegExp(`^postgres(?:ql)?://(${PART}):(${PART})@(${PART})(?::(${PART}))?${PATH}`);
const MONGO = new RegExp(`^mongodb(?:\\+srv)?://(${PART}):(${PART})@(${HOSTS})${PATH}`);

/** @throws Error where it is no such URL, or its user is not written out: rights are granted to it by name */
export function parsePostgresConnectorUrl(url: string): ConnectorAddress {
  const [, user, password, host, port, database, options] = POSTGRES.exec(url) ?? [];
  return address({ user, password, host, port: port || '5432', database, options });
}

/** @throws Error where it is no such URL, or its user or its database are not written out */
export function parseMongoConnectorUrl(url: string): ConnectorAddress {
  const [, user, password, host, database, options] = MONGO.exec(url) ?? [];
  return address({ user, password, host, port: '', database, options });
}

type Parts = Record<'user' | 'password' | 'host' | 'port' | 'database' | 'options', string | undefined>;

function address({ user, password, host, port, database, options }: Parts): ConnectorAddress {
  if (!user || !host || !database)
    throw new Error('the URL for the connector must be scheme://user:password@host/database');
  for (const part of [user, database]) {
    if (part.includes('${'))
      throw new Error(`the URL for the connector must write out its user and database, not ${part}`);
  }
  return {
    user: literal(user),
    password: literal(password ?? ''),
    host: literal(host),
    port: port ?? '',
    database: literal(database),
    options: Object.fromEntries(new URLSearchParams(options ?? '')),
  };
}

/** Percent signs of what stands there itself; a reference is Connect's. */
function literal(part: string): string {
  return part.includes('${') ? part : decodeURIComponent(part);
}
