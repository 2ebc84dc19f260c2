import type { BridgeClient, Finding, PipelineView, VerifyView } from '@millrace/testing';

/** Has the bridge compare both sides of every pipeline: one finding each. */
export async function verifyPipelines(
  bridge: BridgeClient,
  pipelines: readonly PipelineView[],
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { name, from, to } of pipelines) {
    const { status, body } = await bridge.verify(name);
    const claim = `pipeline ${name}: ${from} equals ${to}`;
    if (status === 200) findings.push({ claim, ...judged(body) });
    else findings.push({ claim, evidence: 'not verified', faults: [`${status}: ${JSON.stringify(body)}`] });
  }
  return findings;
}

/** A verification that compared nothing has shown nothing. */
export function judged(report: VerifyView): Pick<Finding, 'evidence' | 'faults'> {
  const { sourceRows, targetRows, compared, missing, extra, different, sample, ...left } = report;
  const faults = sample.map(({ key, kind }) => `${kind}: ${key}`);
  const differ = missing + extra + different;
  const unknown = (left.unsettled ?? 0) + (left.pending ?? 0);
  if (unknown > 0) faults.unshift(`${unknown} could not be compared`);
  if (compared === 0) faults.unshift('nothing was compared');
  if (differ > 0) faults.unshift(`${missing} missing, ${extra} extra, ${different} different`);
  return { evidence: `${compared} compared, of ${sourceRows} and ${targetRows}`, faults };
}
