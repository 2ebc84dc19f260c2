import { type Accepted, type Base, type ConflictPolicy, decide, NO_BASE } from '../pair.decision.js';
import { type Image, ImageFields } from '../pair.image.js';
import { Checker } from './pair.checker.js';
import { randomFrom } from './random.js';

export type Guard = 'none' | 'rev' | 'document' | 'accepted' | 'row hash' | 'lock' | 'columns';

export interface Scenario {
  /** What happens, in order: each byte is an application's write, a crash, a hint or a step of a worker. */
  readonly actions: Uint8Array;
  /** Chooses between equals, and what happens while the queue of hints runs empty. */
  readonly seed: number;
  readonly policy: ConflictPolicy;
  /** A trigger on the row sets its instant at every write, the bridge's too. */
  readonly touches: boolean;
  /** Nothing is concurrent: the bridge comes to rest after each action. */
  readonly sequential: boolean;
  /** The check that is left out, to see that the checker notices. */
  readonly without: Guard;
}

export interface Outcome {
  readonly fault: string;
  readonly conflicts: number;
  readonly history: readonly string[];
}

/** A value and its instant. A row may hold halves, which a document cannot; Postgres turns a 3 into a 2. */
interface Content {
  readonly value: number;
  readonly instant: number;
  /** Of a column that is added to the table one day, with a default; null where it has no value. */
  readonly extra: number | null;
  /** Of another that is added when that one is dropped, or that it is renamed to. */
  readonly other: number | null;
}
const DEFAULT = 9;

/** What the table has in the course of time, but for the key. */
const TABLES = [
  ['value', 'instant'],
  ['value', 'instant', 'extra'],
  ['value', 'instant', 'other'],
] as const;
const LAST = TABLES.length - 1;
interface Row {
  content: Content | null;
  rev: bigint;
  past: bigint;
  accepted: Accepted | null;
}
interface Doc {
  content: Content | null;
  past: bigint;
  /** Stands for MongoDB's write conflict: counts the writes to the document and to its base. */
  writes: number;
  base: Base;
}

/**
 * One key of a pair, with both applications and two workers of the bridge. Whatever lies between two `yield`s
 * is one transaction. A crashed worker either vanishes or loses only its Postgres session and goes on as a
 * zombie; its hint comes again.
 */
export function simulate(scenario: Scenario): Outcome {
  const random = randomFrom(scenario.seed);
  const pick = (n: number) => Math.floor(random() * n);
  const pg: Row = { content: null, rev: 0n, past: 0n, accepted: null };
  const mongo: Doc = { content: null, past: 0n, writes: 0, base: NO_BASE };
  const checker = new Checker();
  const history: string[] = [];
  let sequence = 0n;
  let clock = 0;
  let hints = 0;
  let lock: object | null = null;
  /** Which of the tables it is now. */
  let version = 0;
  const without = (guard: Guard) => scenario.without === guard;
  const release = (me: object) => {
    if (lock === me) lock = null;
  };

  function writeRow(content: Content | null, past: bigint) {
    pg.content = stored(content, scenario.touches ? ++clock : null);
    pg.past = past;
    pg.rev = ++sequence;
    hints++;
  }
  function writeDoc(content: Content | null, past: bigint) {
    if (!isSame(content, mongo.content)) hints++;
    mongo.content = content;
    mongo.past = past;
    mongo.writes++;
  }

  function* sync(me: object): Generator<void> {
    for (;;) {
      while (lock && !without('lock')) yield;
      lock = me;
      const { content: row, rev, accepted, past: rowPast } = pg;
      const seen = version;
      const imageOf = without('columns') ? imagesIn(seen, untagged) : imagesIn(seen);
      yield;
      const { content: doc, base, past: docPastRead, writes } = mongo;
      yield;
      const rowImage = imageOf(asDocument(row));
      const docImage = imageOf(doc);
      const decision = decide(
        {
          rev,
          base,
          doc: docImage,
          accepted: without('accepted') ? null : accepted,
          row: without('row hash') && rev === base.rev ? unnoticed(rowImage, base) : rowImage,
        },
        scenario.policy,
      );
      if (decision.go === 'nothing') return release(me);
      const standing = { row: rowImage, doc: docImage, rowPast };
      const past = rowPast | mongo.past;
      if (decision.go === 'toRow') {
        if (lock !== me && !without('lock')) return;
        if (pg.rev === rev || without('rev')) {
          checker.judge('row', decision.conflict, { ...standing, docPast: docPastRead, undone: false });
          const content = doc && pg.content ? merge(pg.content, doc, decision.differ, seen) : doc;
          if (content || pg.content) writeRow(known(content), rowPast | docPastRead);
          pg.accepted = { ...decision.accepted, rev: pg.rev, first: decision.accepted.first ?? pg.rev };
        }
      } else if (decision.go !== 'stale' && (mongo.writes === writes || without('document'))) {
        if (decision.go === 'dropBase') {
          mongo.base = NO_BASE;
          mongo.writes++;
          hints++;
        } else {
          const undone = imageOf(mongo.content) === docImage; // and so as it was at the base: no conflict
          const value = asDocument(row);
          const next = value && mongo.content ? merge(mongo.content, value, decision.differ, seen) : value;
          // A document that took over no more than what was added keeps its own edit.
          const isFilled = imageOf(next) !== rowImage && decision.differ.every((i) => i === 2);
          if (!isFilled)
            checker.judge('doc', decision.conflict, { ...standing, docPast: mongo.past, undone });
          writeDoc(next, isFilled ? mongo.past : past);
          mongo.base = decision.base;
        }
      }
      release(me);
      yield;
    }
  }

  const zombies = new Set<object>();
  const workers: ({ me: object; run: Generator<void> } | null)[] = [null, null];
  function step(i: number) {
    if (!workers[i]) {
      if (hints === 0) return;
      hints--;
      const me = {};
      workers[i] = { me, run: sync(me) };
    }
    if (!workers[i].run.next().done) return;
    zombies.delete(workers[i].me);
    workers[i] = null;
  }
  function crash(i: number) {
    const worker = workers[i];
    if (!worker) return;
    release(worker.me);
    hints++;
    history.push('crash');
    if (pick(2) === 0) {
      zombies.delete(worker.me);
      workers[i] = null;
    } else {
      zombies.add(worker.me);
      checker.unseen();
    }
  }
  const busy = () => hints > 0 || workers[0] !== null || workers[1] !== null;
  function rest() {
    for (let n = 0; n < 4000 && busy(); n++) random() < 0.03 && n < 200 ? crash(pick(2)) : step(pick(2));
  }

  /** A row has nothing of a column that is not there. */
  const known = (content: Content | null) =>
    content && {
      ...content,
      extra: version === 1 ? content.extra : null,
      other: version === 2 ? content.other : null,
    };

  function act(action: number) {
    const value = [1, 1.5, 2, 3, null][(action >> 4) % 5] ?? null;
    const instant = ++clock + pick(3);
    // Values that documents had before the column came, and its default, compete: a conflict, though nothing is concurrent.
    const added = pick(4) === 0 && (version > 0 || !scenario.sequential) ? pick(4) : undefined;
    const contentBeside = (old: Content | null, unset: number | null): Content | null =>
      value === null
        ? null
        : {
            value,
            instant,
            extra: (version < 2 ? added : undefined) ?? (old ? old.extra : unset),
            other: (version > 0 ? added : undefined) ?? (old ? old.other : unset),
          };
    switch (action % 16) {
      case 0:
      case 1: {
        const content = known(contentBeside(pg.content, DEFAULT));
        if (content === null && pg.content === null) return;
        history.push(`row=${value}`);
        return writeRow(content, pg.past | checker.newWrite());
      }
      case 2:
      case 3: {
        const content = asDocument(contentBeside(mongo.content, null));
        if (isSame(content, mongo.content)) return;
        history.push(`doc=${value}`);
        return writeDoc(content, mongo.past | checker.newWrite());
      }
      case 4:
        return crash(pick(2));
      case 5:
        hints++;
        return;
      case 6: // ALTER TYPE, a disabled trigger: no revision, found by the periodic check
        if (pg.content === null || action < 192) return;
        pg.content = { ...pg.content, value: 4 - pg.content.value };
        hints++;
        history.push(`alter=${pg.content.value}`);
        return checker.unseen();
      case 7: // an old tombstone is pruned, under the key's lock: no zombie is left that read the row before
        if (lock || zombies.size > 0 || pg.rev === 0n || pg.content || mongo.content) return;
        if (mongo.base.hash !== null || mongo.base.rev !== pg.rev) return;
        pg.rev = 0n;
        pg.accepted = null;
        hints++;
        history.push('prune');
        return;
      case 8: {
        // ADD COLUMN, then DROP and ADD or RENAME: each waits for whoever reads the table; the periodic check comes later.
        if (lock || version === LAST || action < 192) return;
        version++;
        const name = version === 1 ? 'extra' : 'other';
        history.push(name);
        const value = version === 2 && pick(2) === 0 ? (pg.content?.extra ?? null) : DEFAULT;
        pg.content &&= known({ ...pg.content, [name]: value });
        // No base tells what a document changed if that is of a column that is gone: then it is looked at right away.
        if (version === 2) hints++;
        // A value that a document had before tells of no write since.
        if (version === 2 || mongo.content?.extra !== null) checker.unseen();
        return;
      }
      default:
        history.push(action % 2 === 0 ? '·' : ':');
        return step(action % 2);
    }
  }

  for (const action of scenario.actions) {
    if (checker.fault) break;
    act(action);
    if (scenario.sequential) rest();
  }
  rest();
  hints++;
  rest();
  const imageOf = imagesIn(version);
  checker.atRest(!busy(), imageOf(asDocument(pg.content)) === imageOf(mongo.content), pg.past | mongo.past);
  if (scenario.sequential && checker.conflicts > 0) checker.fault ||= 'conflict where nothing was concurrent';
  return { fault: checker.fault, conflicts: checker.conflicts, history };
}

function asDocument(content: Content | null): Content | null {
  return content && { ...content, value: Math.floor(content.value) };
}

function stored(content: Content | null, touched: number | null): Content | null {
  if (content === null) return null;
  return { ...content, value: content.value === 3 ? 2 : content.value, instant: touched ?? content.instant };
}

function merge(old: Content, next: Content, differ: readonly number[], version: number): Content {
  const names = TABLES[version]?.filter((_, i) => differ.includes(i)) ?? [];
  return { ...old, ...Object.fromEntries(names.map((name) => [name, next[name]])) };
}

function isSame(a: Content | null, b: Content | null): boolean {
  return a === b || (a !== null && b !== null && CONTENT.every((name) => a[name] === b[name]));
}

const CONTENT = ['value', 'instant', 'extra', 'other'] as const;
const FIELDS = TABLES.map((names) => new ImageFields(names));
const images = new Map<string, Image>();

/** The images of contents, the same object for equal ones, as a bridge makes them that knows that table. */
function imagesIn(
  version: number,
  change = (image: Image) => image,
): (content: Content | null) => Image | null {
  return (content) => {
    if (content === null) return null;
    const text = `${TABLES[version]?.map((name) => content[name])} ${version} ${change.name}`;
    let image = images.get(text);
    if (!image) {
      image = change({ ...(FIELDS[version]?.imageOf(content) as Image), instant: content.instant });
      images.set(text, image);
    }
    return image;
  };
}

/** An image that cannot be compared but with one of all the fields that it has itself. */
function untagged(image: Image): Image {
  const { hash, fields } = image;
  return { ...image, like: () => hash, widthOf: () => fields.length };
}

/** The row as it looks to a bridge that trusts revisions alone. */
function unnoticed(row: Image | null, base: Base): Image | null {
  const { hash } = base;
  return row && hash !== null ? { ...row, hash, like: () => hash } : row;
}
