import {
  BridgeClient,
  eventually,
  type Finding,
  type RunningSystem,
  type StackEndpoints,
} from '@millrace/testing';
import { tellCarriedRows } from './carried-rows.js';
import { tellCustomers } from './customers.js';
import type { Story } from './story.js';
import { verifyPipelines } from './verified-pipelines.js';

/** Shows what cdc-bridge carries from each database to the other, and holds both sides against each other. */
export async function tellBridge(
  endpoints: StackEndpoints,
  system: RunningSystem,
  story: Story,
  run: string,
): Promise<Finding[]> {
  const bridge = new BridgeClient(endpoints.services['cdc-bridge'] ?? []);
  const pipelines = await eventually('every pipeline to run', 120_000, async () => {
    const { items } = (await bridge.pipelines()).body;
    return items.length > 0 && items.every(({ state }) => state === 'running') && items;
  });
  await tellCarriedRows(endpoints, system, story, run);
  await tellCustomers(bridge, system, story, run);

  story.step('Every row of every pipeline is compared with its other side.');
  const findings = await verifyPipelines(bridge, pipelines);
  for (const finding of findings) story.finding(finding);
  return findings;
}
