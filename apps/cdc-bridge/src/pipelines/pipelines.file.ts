import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { mongoToPostgres, type Pipeline, postgresToMongo, twoWay } from './pipeline.schema.js';
import { checkRules, type DatabaseNames, type Entry } from './pipelines.rules.js';

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

type Path = readonly PropertyKey[];
interface PathFault {
  readonly path: Path;
  readonly message: string;
}

/**
 * Reads a pipelines file: each entry by itself first, then what only the whole list shows.
 * @param file its name, for the message
 * @throws PipelinesFileError with all faults at once, in the order of their lines
 */
export function parsePipelines(file: string, text: string, names: DatabaseNames): Pipeline[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const lineAt = (offset: number) => lines.linePos(offset).line;
  if (document.errors.length > 0) {
    throw new PipelinesFileError(
      file,
      document.errors.map(({ pos, message }) => ({ line: lineAt(pos[0]), message })),
    );
  }
  const { entries, faults } = readEntries(document.toJS());
  faults.push(...checkRules(entries, names));
  if (faults.length > 0) {
    const located = faults.map(({ path, message }) => ({ line: lineAt(offsetOf(document, path)), message }));
    throw new PipelinesFileError(
      file,
      located.sort((a, b) => a.line - b.line),
    );
  }
  return entries.map(({ pipeline }) => pipeline);
}

function readEntries(content: unknown): { entries: Entry[]; faults: PathFault[] } {
  const faults: PathFault[] = [];
  if (!isRecord(content) || !Array.isArray(content.pipelines)) {
    faults.push({ path: [], message: 'the file must hold a list named pipelines' });
    return { entries: [], faults };
  }
  for (const key of Object.keys(content)) {
    if (key !== 'pipelines') faults.push({ path: [key], message: `unknown: ${key}` });
  }
  const entries = content.pipelines.flatMap((entry: unknown, index): Entry[] => {
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
    if (result.success) return [{ index, pipeline: result.data }];
    faults.push(...result.error.issues.flatMap((issue) => pathFaults(path, issue)));
    return [];
  });
  return { entries, faults };
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
