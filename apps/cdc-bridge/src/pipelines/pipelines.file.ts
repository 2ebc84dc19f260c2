import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { mongoToPostgres, type Pipeline, postgresToMongo, twoWay } from './pipeline.schema.js';
import { draftOf } from './pipelines.draft.js';
import { checkRules, type DatabaseNames, type Entry } from './pipelines.rules.js';
import { yamlFaults } from './yaml.faults.js';

export interface FileFault {
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

/** Every fault of a pipelines file, each with its line. */
export class PipelinesFileError extends Error {
  readonly code = 'PIPELINES_FILE_INVALID';
  readonly canRetry = false;

  constructor(
    readonly file: string,
    readonly faults: readonly FileFault[],
  ) {
    super(faults.map(({ line, message }) => `${file}:${line}: ${message}`).join('\n'));
  }
}

/** A pipelines file without a fault. */
export interface PipelinesFile {
  /** One for each entry, in the file's order. */
  readonly pipelines: readonly Pipeline[];
  /** From 1. */
  lineOf(path: Path): number;
  /** An error that tells of what was found out only after the file was read. */
  faulty(faults: readonly PathFault[]): PipelinesFileError;
}

type Path = readonly PropertyKey[];

export interface PathFault {
  /** From the file's root. */
  readonly path: Path;
  readonly message: string;
}

/**
 * Reads a pipelines file: each entry by itself, and what only the whole list shows of all that can be read.
 * @param file its name, for the message
 * @throws PipelinesFileError with all faults at once, in the order of their lines
 */
export function readPipelinesFile(file: string, text: string, names: DatabaseNames): PipelinesFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const lineAt = (offset: number) => lines.linePos(offset).line;
  const lineOf = (path: Path) => lineAt(offsetOf(document, path));
  const located = (faults: readonly PathFault[]): FileFault[] =>
    faults.map(({ path, message }) => ({ line: lineOf(path), message }));
  const refused = (faults: readonly FileFault[]) =>
    new PipelinesFileError(
      file,
      faults.toSorted((a, b) => a.line - b.line),
    );

  const ofYaml = [
    ...document.errors.map(({ pos, message }) => ({ line: lineAt(pos[0]), message })),
    ...yamlFaults(document).map(({ offset, message }) => ({ line: lineAt(offset), message })),
  ];
  // What is left of a text that breaks YAML's grammar is not what its author wrote.
  if (document.errors.some(({ code }) => code !== 'DUPLICATE_KEY')) throw refused(ofYaml);
  const { pipelines, entries, faults } = readEntries(document.toJS());
  faults.push(...checkRules(entries, names));
  if (ofYaml.length + faults.length > 0) throw refused([...ofYaml, ...located(faults)]);
  return { pipelines, lineOf, faulty: (found) => refused(located(found)) };
}

interface ReadEntries {
  readonly pipelines: Pipeline[];
  /** Also those that are no pipelines yet. */
  readonly entries: Entry[];
  readonly faults: PathFault[];
}

function readEntries(content: unknown): ReadEntries {
  const faults: PathFault[] = [];
  const file = isRecord(content) ? content : {};
  for (const key of Object.keys(file)) {
    if (key !== 'pipelines') faults.push({ path: [key], message: `unknown: ${key}` });
  }
  const list: unknown = file.pipelines;
  if (!Array.isArray(list)) {
    faults.push({ path: [], message: 'the file must hold a list named pipelines' });
    return { pipelines: [], entries: [], faults };
  }
  const entries = list.map((entry: unknown, index) => ({ index, pipeline: draftOf(entry) }));
  const pipelines = list.flatMap((entry: unknown, index): Pipeline[] => {
    const path = ['pipelines', index];
    const schema = schemaFor(entry);
    if (!schema) {
      faults.push({
        path,
        message: 'a pipeline goes from postgres to mongo, from mongo to postgres, or is between both',
      });
      return [];
    }
    const result = schema.safeParse(entry);
    if (result.success) return [result.data];
    faults.push(...result.error.issues.flatMap((issue) => pathFaults(path, issue)));
    return [];
  });
  return { pipelines, entries, faults };
}

/** Which of the three kinds an entry means to be, so that its faults are told for that kind alone. */
function schemaFor(entry: unknown): z.ZodType<Pipeline> | undefined {
  if (!isRecord(entry)) return undefined;
  if ('between' in entry) return twoWay;
  if (!isRecord(entry.from)) return undefined;
  if ('postgres' in entry.from) return postgresToMongo;
  return 'mongo' in entry.from ? mongoToPostgres : undefined;
}

function pathFaults(prefix: Path, issue: z.core.$ZodIssue): PathFault[] {
  const path = [...prefix, ...issue.path];
  const where = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...path, key],
      message: `unknown: ${where ? `${where}.${key}` : key}`,
    }));
  }
  return [{ path, message: where ? `${where}: ${issue.message}` : issue.message }];
}

/** Where a path's value begins; where there is none, where the nearest thing around it begins. */
function offsetOf(document: Document, path: Path): number {
  for (let length = path.length; length >= 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
