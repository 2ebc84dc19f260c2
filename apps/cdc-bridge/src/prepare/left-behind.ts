import { ConnectApi } from '@millrace/messaging';
import type { PostgresDatabase } from '../databases/named-databases.js';
import { slotName } from '../names/bridge-names.js';
import { keptPair, pairsIn } from '../pairs/kept-pairs.js';
import { isTwoWay, type Pipeline } from '../pipelines/pipeline.schema.js';
import { formerNames } from '../sources/former-names.js';
import { configOf } from '../sources/prepare-source.js';
import { keptSlot, readSlot } from '../sources/replication-slot.js';
import { unread } from '../sources/source.js';
import type { PreparationOptions } from './preparation.options.js';

type Places = Pick<
  PreparationOptions,
  'pipelines' | 'settings' | 'databases' | 'connectUrl' | 'connectRegistryUrl' | 'signal'
>;

/**
 * What stays of pipelines that left the file, a line each, with the way to be rid of it. Every `plan` and `apply` tells it
 * again: it may cost a disk, and what was stopped or is not in the file tells nobody.
 */
export async function leftBehind(options: Places): Promise<string[]> {
  const databases = options.settings.filter(({ kind }) => kind === 'postgres');
  const kept = await Promise.all(databases.map(({ name }) => keptIn(name, options)));
  return [...kept.flat(), ...(await formerConnectors(options))];
}

async function keptIn(name: string, { databases, settings, pipelines }: Places): Promise<string[]> {
  const postgres = databases.postgres(name);
  const isIdle = unread(settings, pipelines).some((database) => database.name === name);
  const found = await Promise.all([isIdle ? keptSlots(postgres) : [], keptPairs(postgres, pipelines)]).catch(
    ({ message }: Error) => [[`what is left there of pipelines that are gone cannot be seen: ${message}`]],
  );
  return found.flat().map((line) => `${name}: ${line}`);
}

async function keptSlots({ name, pool }: PostgresDatabase): Promise<string[]> {
  const slot = await readSlot(pool, slotName(name));
  return slot ? [keptSlot(name, slot)] : [];
}

async function keptPairs(
  { name, pool }: PostgresDatabase,
  pipelines: readonly Pipeline[],
): Promise<string[]> {
  const own = pipelines.filter((each) => isTwoWay(each) && each.between[0].postgres === name);
  const isGone = (pair: string) => !own.some((each) => each.name === pair);
  return (await pairsIn(pool)).filter(isGone).map(keptPair);
}

async function formerConnectors(options: Places): Promise<string[]> {
  const sources = options.settings.map((settings) => {
    const { kind, name } = settings;
    const config = configOf(
      { kind, name, captured: [], settings },
      { registryUrl: options.connectRegistryUrl },
    );
    return { kind, name, config };
  });
  return formerNames(await new ConnectApi(options.connectUrl).configs(options.signal), sources);
}
