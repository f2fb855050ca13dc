/** What the sources of profiles are given of the agent thread. */
import type { AgentThreadData } from '../../thread-data';
import type { Dictionary } from '../dictionary';
import type { Sampling } from '../sampling';
import type { StackSums } from '../stack-sums';

export type ProfileContext = {
  data: AgentThreadData;
  identity: { service: string; instance: string };
  dictionary: Dictionary;
  sampling: Sampling;
  /** Stalls and synchronous waits so far: amounts in µs. */
  blocked: StackSums;
  nowMicros(): number;
  /** Tells the collector's users something that the agent did by itself. */
  note(text: string): void;
};

/** The labels that every sample of a profile carries: whose it is. */
export function profileLabels({ identity }: ProfileContext, threadId: number): string[] {
  const thread = threadId === 0 ? 'main' : `worker-${threadId}`;
  return ['service', identity.service, 'instance', identity.instance, 'thread', thread];
}
