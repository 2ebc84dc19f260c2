import { type ConnectorStatus, faultOf } from '@millrace/messaging';

const MAX_TEXT = 500;
/** Not the dots, which stand around the name within that of a topic or of a schema. */
const PART_OF_NAME = /[\p{L}\p{N}_$-]/u;

/** Why a connector does not run. */
export interface ConnectorFault {
  /** The innermost cause, as the connector's trace has it. */
  readonly text: string;
  /** The captured table or collection that the trace names; null where it names none. */
  readonly table: string | null;
}

/**
 * What Connect shows of a failure, with the table that it is about where the trace tells; undefined while all is well.
 * @param captured `schema.table`, or the name of a collection
 * @param database of collections, by MongoDB's name of it
 */
export function connectorFault(
  status: ConnectorStatus,
  captured: readonly string[],
  database?: string,
): ConnectorFault | undefined {
  const text = faultOf(status);
  if (text === undefined) return undefined;
  const trace = [status.connector, ...status.tasks].map((part) => part.trace ?? '').join('\n');
  const told = withoutPlaces(trace);
  // The longest: a collection's name may begin with another's and a dot.
  const named = captured.filter((name) =>
    spellings(name, database).some((spelling) => isNamed(spelling, told)),
  );
  named.sort((a, b) => b.length - a.length);
  return { text: shortened(text.replace(/^Caused by: /, '')), table: named[0] ?? null };
}

/** What the exceptions say, without their classes and where they were thrown: packages have names of tables too. */
function withoutPlaces(trace: string): string {
  return trace
    .split('\n')
    .filter((line) => !/^\s+(at |\.\.\. \d+ )/.test(line))
    .map((line) => line.replace(/^\s*(Caused by: |Suppressed: )?[\w$]+(\.[\w$]+)+(?=:|$)/, ''))
    .join('\n');
}

/** Whether it stands there, and not as part of a longer name. */
function isNamed(spelling: string, text: string): boolean {
  for (let at = text.indexOf(spelling); at >= 0; at = text.indexOf(spelling, at + 1)) {
    if (!PART_OF_NAME.test(text[at - 1] ?? '') && !PART_OF_NAME.test(text[at + spelling.length] ?? ''))
      return true;
  }
  return false;
}

/** Without the document that MongoDB adds to what it says of its size: it is not an operator's to read. */
function shortened(text: string): string {
  return text.replace(/ First element: .*$/s, '').slice(0, MAX_TEXT);
}

/** As Debezium writes it, and as Postgres quotes it. */
function spellings(name: string, database: string | undefined): string[] {
  if (database !== undefined) return [`${database}.${name}`];
  const dot = name.indexOf('.');
  return [name, `"${name.slice(0, dot)}"."${name.slice(dot + 1)}"`];
}

export function describeFault(
  connector: string,
  { text, table }: ConnectorFault,
  isLasting: boolean,
): string {
  const why = `the connector ${connector} has failed${table === null ? '' : ` at ${table}`}: ${text}`;
  if (!isLasting) return `${why}; it is started again`;
  const out = table === null ? 'the table that it is about' : table;
  return `${why}; starting it again has not helped: mend it, or take ${out} out of the pipelines and prepare again, so that the rest flows`;
}
