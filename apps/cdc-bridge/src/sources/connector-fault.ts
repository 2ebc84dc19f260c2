import { type ConnectorStatus, faultOf } from '@millrace/messaging';

const MAX_TEXT = 500;

/** Why a connector does not run. */
export interface ConnectorFault {
  /** The innermost cause, as the connector's trace has it. */
  readonly text: string;
  /** The captured table or collection that the trace names; null where it names none. */
  readonly table: string | null;
}

/** What Connect shows of a failure, with the table that it is about where the trace tells; undefined while all is well. */
export function connectorFault(
  status: ConnectorStatus,
  captured: readonly string[],
): ConnectorFault | undefined {
  const text = faultOf(status);
  if (text === undefined) return undefined;
  const trace = [status.connector, ...status.tasks].map((part) => part.trace ?? '').join('\n');
  // The longest: `public.orders` stands in `public.orders_archive` too.
  const named = captured.filter((name) => spellings(name).some((spelling) => trace.includes(spelling)));
  named.sort((a, b) => b.length - a.length);
  return { text: shortened(text.replace(/^Caused by: /, '')), table: named[0] ?? null };
}

/** Without the document that MongoDB adds to what it says of its size: it is not an operator's to read. */
function shortened(text: string): string {
  return text.replace(/ First element: .*$/s, '').slice(0, MAX_TEXT);
}

/** As Debezium writes it, and as Postgres quotes it. */
function spellings(name: string): string[] {
  const dot = name.indexOf('.');
  return dot < 0 ? [`.${name}`] : [name, `"${name.slice(0, dot)}"."${name.slice(dot + 1)}"`];
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
