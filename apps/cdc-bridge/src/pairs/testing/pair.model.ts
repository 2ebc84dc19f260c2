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
}
const DEFAULT_EXTRA = 9;
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
  /** The table has the column `extra`. */
  let isWide = false;
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
      const imageOf = without('columns') ? imagesIn(isWide, untagged) : imagesIn(isWide);
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
          const content = doc && pg.content ? merge(pg.content, doc, decision.differ) : doc;
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
          const next = value && mongo.content ? merge(mongo.content, value, decision.differ) : value;
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

  /** A row has nothing of a column that is not there yet. */
  const known = (content: Content | null) => content && (isWide ? content : { ...content, extra: null });

  function act(action: number) {
    const value = [1, 1.5, 2, 3, null][(action >> 4) % 5] ?? null;
    const instant = ++clock + pick(3);
    // Values that documents had before the column came, and its default, compete: a conflict, though nothing is concurrent.
    const newExtra = pick(4) === 0 && (isWide || !scenario.sequential) ? pick(4) : undefined;
    const contentBeside = (old: Content | null, unset: number | null): Content | null =>
      value === null ? null : { value, instant, extra: newExtra ?? (old ? old.extra : unset) };
    switch (action % 16) {
      case 0:
      case 1: {
        const content = known(contentBeside(pg.content, DEFAULT_EXTRA));
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
      case 8: // ADD COLUMN, which waits for whoever reads the table; the periodic check comes later
        if (lock || isWide || action < 192) return;
        isWide = true;
        pg.content &&= { ...pg.content, extra: DEFAULT_EXTRA };
        history.push('add');
        // A value that a document had before tells of no write since.
        return mongo.content?.extra === null ? undefined : checker.unseen();
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
  const imageOf = imagesIn(isWide);
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

function merge(old: Content, next: Content, differ: readonly number[]): Content {
  return {
    value: differ.includes(0) ? next.value : old.value,
    instant: differ.includes(1) ? next.instant : old.instant,
    extra: differ.includes(2) ? next.extra : old.extra,
  };
}

function isSame(a: Content | null, b: Content | null): boolean {
  return a === b || (a?.value === b?.value && a?.instant === b?.instant && a?.extra === b?.extra);
}

const NARROW = new ImageFields(['value', 'instant']);
const WIDE = new ImageFields(['value', 'instant', 'extra']);
const images = new Map<string, Image>();

/** The images of contents, the same object for equal ones, as a bridge makes them that knows the column or does not. */
function imagesIn(
  isWide: boolean,
  change = (image: Image) => image,
): (content: Content | null) => Image | null {
  return (content) => {
    if (content === null) return null;
    const { value, instant, extra } = content;
    const text = `${value}@${instant}${isWide ? `+${extra}` : ''}${change.name}`;
    let image = images.get(text);
    if (!image) {
      const made = (isWide ? WIDE : NARROW).imageOf(content) as Image;
      image = change({ ...made, instant });
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
