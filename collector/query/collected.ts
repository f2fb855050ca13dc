/**
 * Profiles that agents make on request: each selected agent is asked at the same time, and what they answer is put
 * together. An agent that cannot answer costs its part: the profile says so in a comment; when none can, the first
 * reason is the answer.
 */
import type { Agent } from '../ingest/agents';
import type { PprofFault, PprofRequest } from '../profile/pprof-request';

/** What an agent may take beyond the time that was asked for, ms: a heap capture collects garbage. */
const GRACE_MILLIS = 15_000;
const STATUS_GONE = 503;

export type CollectedAnswer = { mediaType: string; bytes: Uint8Array };
type Part = { agent: Agent; answer: CollectedAnswer | PprofFault };

/** proven: the asker has shown the token. */
export async function collectFrom(
  agents: readonly Agent[],
  request: PprofRequest,
  proven: boolean,
): Promise<CollectedAnswer | PprofFault> {
  const parts = await Promise.all(agents.map((agent) => partOf(agent, request, proven)));
  const [first, ...rest] = parts;
  if (first === undefined) return { status: STATUS_GONE, text: 'no agent is connected' };
  if (rest.length === 0) return first.answer;
  return {
    status: 400,
    text: `${parts.length} instances are connected, add ?instance= to the address:\n${parts.map(({ agent }) => `  instance=${agent.instance.instance}`).join('\n')}`,
  };
}

async function partOf(agent: Agent, request: PprofRequest, proven: boolean): Promise<Part> {
  const { link } = agent;
  if (link === null) return { agent, answer: { status: STATUS_GONE, text: 'the agent is not connected' } };
  try {
    const { reply, bytes } = await link.collect(
      addressOf(request, proven),
      request.seconds * 1000 + GRACE_MILLIS,
    );
    const answer =
      reply.code === 0 ? { mediaType: reply.text, bytes } : { status: reply.code, text: reply.text };
    return { agent, answer };
  } catch (error) {
    return { agent, answer: { status: STATUS_GONE, text: (error as Error).message } };
  }
}

function addressOf({ name, seconds, debug, gc }: PprofRequest, proven: boolean): string {
  const parameters = new URLSearchParams();
  if (seconds > 0) parameters.set('seconds', String(seconds));
  if (debug > 0) parameters.set('debug', String(debug));
  if (gc) parameters.set('gc', '1');
  if (proven) parameters.set('proven', '1');
  return `${name}?${parameters}`;
}

export function isFault(answer: CollectedAnswer | PprofFault): answer is PprofFault {
  return 'status' in answer;
}
