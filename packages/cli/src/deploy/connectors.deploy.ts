import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ConnectApi, type ConnectorConfig, deployConnector } from '@millrace/messaging';

/**
 * Makes Connect run the connectors in `folder`, each a file of settings named after it. One whose settings are as
 * declared is left alone; failed tasks are started again.
 * @throws Error with the task's own reason when a connector does not run within two minutes.
 */
export const deployConnectors = async (url: string, folder: string, signal: AbortSignal): Promise<void> => {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json'));
  await Promise.all(
    files.map(async (file) => {
      const config = JSON.parse(await readFile(join(folder, file), 'utf8')) as ConnectorConfig;
      await deployConnector(new ConnectApi(url), basename(file, '.json'), config, signal);
    }),
  );
};
