/** What Debezium puts in the place of a value that Postgres left out of the log as unchanged; no user would write it. */
export const UNAVAILABLE_VALUE = '__millrace_unavailable_7f3a9c__';
