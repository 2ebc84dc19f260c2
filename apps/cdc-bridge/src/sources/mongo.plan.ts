import type { Db, Document } from 'mongodb';
import type { Step } from '../databases/step.js';
import { CAPTURED_COLLECTION, SIGNALS_COLLECTION, WATERMARKS_COLLECTION } from '../names/bridge-names.js';
import type { Captured } from './source.js';

/** Lets the connector write where it marks its incremental snapshots; it reads the database by a role of its own. */
export const SIGNALS_ROLE = 'millrace_signals';

/** The one document of the collection of markers. */
export interface MarkedDocument {
  readonly _id: typeof MARKED_DOCUMENT;
  /** The id of the last marker. */
  readonly marker?: string;
}

export const MARKED_DOCUMENT = 'marker';

/** A command for a user's database. */
export interface MongoStep extends Step {
  readonly command: Document;
}

/** What the deploy step did for a collection. */
export interface CollectionRecord {
  readonly _id: string;
  readonly imagesEnabled: boolean;
  readonly snapshotDue: boolean;
}

export interface MongoCatalogue {
  /** By name: whether changes carry images; undefined for a view. */
  readonly collections: ReadonlyMap<string, { readonly images: boolean; readonly isView: boolean }>;
  readonly hasRole: boolean;
  /** Whether the document is there that markers are written to. */
  readonly isMarked: boolean;
  readonly records: readonly CollectionRecord[];
}

export async function readMongoCatalogue(db: Db): Promise<MongoCatalogue> {
  const found = await db.listCollections().toArray();
  const { roles } = await db.command({ rolesInfo: SIGNALS_ROLE });
  return {
    collections: new Map(
      found.map(({ name, type, ...rest }) => {
        const { options = {} } = rest as { options?: Document };
        return [
          name,
          { images: options.changeStreamPreAndPostImages?.enabled === true, isView: type === 'view' },
        ];
      }),
    ),
    hasRole: roles.length > 0,
    isMarked:
      (await db.collection<MarkedDocument>(WATERMARKS_COLLECTION).findOne({ _id: MARKED_DOCUMENT })) !== null,
    records: await db.collection<CollectionRecord>(CAPTURED_COLLECTION).find().sort({ _id: 1 }).toArray(),
  };
}

export function mongoFaults({ collections }: MongoCatalogue, captured: readonly Captured[]): string[] {
  return captured
    .filter(({ name }) => collections.get(name)?.isView)
    .map(({ name }) => `${name} is a view: views have no changes`);
}

/** The changes that bring a database to what is captured of it, in order; none where it is there already. */
export function mongoSteps(
  db: string,
  { collections, hasRole, isMarked, records }: MongoCatalogue,
  captured: readonly Captured[],
): MongoStep[] {
  const gone = records.filter(({ _id }) => !captured.some(({ name }) => name === _id));
  return [
    ...(isMarked ? [] : [ownCollection(WATERMARKS_COLLECTION, markedDocument())]),
    ...[SIGNALS_COLLECTION, CAPTURED_COLLECTION]
      .filter((name) => !collections.has(name))
      .map((name) => ownCollection(name, { create: name })),
    ...(hasRole ? [] : [signalsRole(db)]),
    ...captured.flatMap(({ name }) => captureSteps(name, collections.get(name)?.images, records)),
    ...gone.flatMap((record) => releaseSteps(record, collections.has(record._id))),
  ];
}

/** What is left of the bridge in a database that has no pipeline any more. */
export function mongoRemoval({ collections, hasRole }: MongoCatalogue): MongoStep[] {
  return [
    ...[WATERMARKS_COLLECTION, SIGNALS_COLLECTION, CAPTURED_COLLECTION]
      .filter((name) => collections.has(name))
      .map((name) => step(`collection ${name}, dropped`, { drop: name })),
    ...(hasRole ? [step(`role ${SIGNALS_ROLE}, dropped`, { dropRole: SIGNALS_ROLE })] : []),
  ];
}

function ownCollection(name: string, command: Document): MongoStep {
  return step(`collection ${name}, by which a connector is followed`, command);
}

/** Makes the collection too. */
function markedDocument(): Document {
  const q = { _id: MARKED_DOCUMENT };
  return { update: WATERMARKS_COLLECTION, updates: [{ q, u: { $setOnInsert: q }, upsert: true }] };
}

const IMAGES = (enabled: boolean) => ({ changeStreamPreAndPostImages: { enabled } });

function captureSteps(
  name: string,
  images: boolean | undefined,
  records: readonly CollectionRecord[],
): MongoStep[] {
  const change =
    images === undefined
      ? [step(`collection ${name}, made with images of its changes`, { create: name, ...IMAGES(true) })]
      : images
        ? []
        : [
            step(`${name} keeps an image of each document before and after a change`, {
              collMod: name,
              ...IMAGES(true),
            }),
          ];
  const isKnown = records.some(({ _id }) => _id === name);
  if (isKnown && change.length === 0) return [];
  const record = {
    update: CAPTURED_COLLECTION,
    updates: [
      {
        q: { _id: name },
        u: {
          ...(change.length > 0 && { $set: { imagesEnabled: true } }),
          $setOnInsert: { ...(change.length === 0 && { imagesEnabled: false }), snapshotDue: true },
        },
        upsert: true,
      },
    ],
  };
  // The record first: what is recorded and not done is no harm when it is undone.
  return [step(`${name} captured`, record), ...change];
}

function releaseSteps({ _id, imagesEnabled }: CollectionRecord, isThere: boolean): MongoStep[] {
  return [
    ...(imagesEnabled && isThere
      ? [step(`${_id} keeps no images of its changes any more`, { collMod: _id, ...IMAGES(false) })]
      : []),
    step(`${_id} released`, { delete: CAPTURED_COLLECTION, deletes: [{ q: { _id }, limit: 1 }] }),
  ];
}

function signalsRole(db: string): MongoStep {
  const resource = { db, collection: SIGNALS_COLLECTION };
  const privileges = [{ resource, actions: ['find', 'insert', 'remove'] }];
  return step(`role ${SIGNALS_ROLE}, for the connector, to write to ${SIGNALS_COLLECTION}`, {
    createRole: SIGNALS_ROLE,
    privileges,
    roles: [],
  });
}

function step(what: string, command: Document): MongoStep {
  return { what, sql: JSON.stringify(command), command };
}
