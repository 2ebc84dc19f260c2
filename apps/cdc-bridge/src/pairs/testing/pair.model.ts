import type { Image } from '../../values/canonical.js';
import { type Accepted, type Base, type ConflictPolicy, decide, NO_BASE } from '../pair.decision.js';
import { Checker } from './pair.checker.js';
import { randomFrom } from './random.js';

export type Guard = 'none' | 'rev' | 'document' | 'accepted' | 'row hash' | 'lock';

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
}
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
    if (imageOf(content) !== imageOf(mongo.content)) hints++;
    mongo.content = content;
    mongo.past = past;
    mongo.writes++;
  }

  function* sync(me: object): Generator<void> {
    for (;;) {
      while (lock && !without('lock')) yield;
      lock = me;
      const { content: row, rev, accepted, past: rowPast } = pg;
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
      if (decision.go === 'toRow') {
        if (lock !== me && !without('lock')) return;
        if (pg.rev === rev || without('rev')) {
          checker.judge('row', decision.conflict, { ...standing, docPast: docPastRead, undone: false });
          const content = doc && pg.content ? merge(pg.content, doc, decision.differ) : doc;
          if (content || pg.content) writeRow(content, rowPast | docPastRead);
          pg.accepted = { ...decision.accepted, rev: pg.rev, first: decision.accepted.first ?? pg.rev };
        }
      } else if (decision.go !== 'stale' && (mongo.writes === writes || without('document'))) {
        if (decision.go === 'dropBase') {
          mongo.base = NO_BASE;
          mongo.writes++;
          hints++;
        } else {
          const undone = imageOf(mongo.content) === docImage; // and so as it was at the base: no conflict
          checker.judge('doc', decision.conflict, { ...standing, docPast: mongo.past, undone });
          const value = asDocument(row);
          writeDoc(
            value && mongo.content ? merge(mongo.content, value, decision.differ) : value,
            rowPast | mongo.past,
          );
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

  function act(action: number) {
    const value = [1, 1.5, 2, 3, null][(action >> 4) % 5] ?? null;
    const content = value === null ? null : { value, instant: ++clock + pick(3) };
    switch (action % 16) {
      case 0:
      case 1:
        if (content === null && pg.content === null) return;
        history.push(`row=${value}`);
        return writeRow(content, pg.past | checker.newWrite());
      case 2:
      case 3:
        if (imageOf(asDocument(content)) === imageOf(mongo.content)) return;
        history.push(`doc=${value}`);
        return writeDoc(asDocument(content), mongo.past | checker.newWrite());
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
  checker.atRest(!busy(), imageOf(asDocument(pg.content)) === imageOf(mongo.content), pg.past | mongo.past);
  if (scenario.sequential && checker.conflicts > 0) checker.fault ||= 'conflict where nothing was concurrent';
  return { fault: checker.fault, conflicts: checker.conflicts, history };
}

function asDocument(content: Content | null): Content | null {
  return content && { ...content, value: Math.floor(content.value) };
}

function stored(content: Content | null, touched: number | null): Content | null {
  if (content === null) return null;
  return { value: content.value === 3 ? 2 : content.value, instant: touched ?? content.instant };
}

function merge(old: Content, next: Content, differ: readonly number[]): Content {
  return {
    value: differ.includes(0) ? next.value : old.value,
    instant: differ.includes(1) ? next.instant : old.instant,
  };
}

const images = new Map<string, Image>();

/** The same object for equal contents. */
function imageOf(content: Content | null): Image | null {
  if (content === null) return null;
  const hash = `${content.value}@${content.instant}`;
  let image = images.get(hash);
  if (!image) {
    image = { hash, fields: [`n${content.value}`, `d${content.instant}`], instant: content.instant };
    images.set(hash, image);
  }
  return image;
}

/** The row as it looks to a bridge that trusts revisions alone. */
function unnoticed(row: Image | null, base: Base): Image | null {
  return row && base.hash !== null ? { ...row, hash: base.hash } : row;
}
