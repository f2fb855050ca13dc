/**
 * Profiles that agents make on request: each selected agent is asked at the same time, and what they answer is put
 * together. An agent that cannot answer costs its part: the profile says so in a comment; when none can, the first
 * reason is the answer.
 */
import { promisify } from 'node:util';
import { constants, gunzip, gzip } from 'node:zlib';
import type { Agent } from '../ingest/agents';
import { decodePprof } from '../profile/decode-pprof';
import { mergeProfiles } from '../profile/merge';
import { encodePprof } from '../profile/pprof';
import {
  agentAddress,
  PPROF_PROFILES,
  PPROF_TYPE,
  type PprofFault,
  type PprofRequest,
} from '../profile/pprof-request';
import type { Profile } from '../profile/profile';

/** What an agent may take beyond the time that was asked for, ms: a heap capture collects garbage. */
const GRACE_MILLIS = 15_000;
const STATUS_BAD = 400;
const STATUS_GONE = 503;
const STATUS_FAULT = 502;
/** Of one agent's profile. */
const DECOMPRESSED_MAX = 256 * 1024 * 1024;

const compress = promisify(gzip);
const decompress = promisify(gunzip);

export type CollectedAnswer = { mediaType: string; bytes: Uint8Array };
type Part = { agent: Agent; answer: CollectedAnswer | PprofFault };

/** proven: the asker has shown the token. signal: it has gone; what was asked of agents is cancelled. */
export async function collectFrom(
  agents: readonly Agent[],
  request: PprofRequest,
  proven: boolean,
  signal: AbortSignal,
): Promise<CollectedAnswer | PprofFault> {
  if (agents.length > 1 && PPROF_PROFILES[request.name]?.isTrace === true) {
    const names = agents.map(({ instance }) => instance.instance).join(', ');
    return { status: STATUS_BAD, text: `a trace is of one process, choose with &instance= among: ${names}` };
  }
  const parts = await Promise.all(agents.map((agent) => partOf(agent, request, proven, signal)));
  const [first, ...rest] = parts;
  if (first === undefined) return { status: STATUS_GONE, text: 'no agent is connected' };
  return rest.length === 0 ? first.answer : joined(parts);
}

/** Profiles are added, texts put one below the other. */
async function joined(parts: readonly Part[]): Promise<CollectedAnswer | PprofFault> {
  const answered = parts.flatMap(({ agent, answer }) => (isFault(answer) ? [] : [{ agent, answer }]));
  const [first] = answered;
  if (first === undefined) return parts[0]!.answer;
  const refusals = parts.flatMap(({ agent, answer }) =>
    isFault(answer) ? [`${agent.instance.instance}: ${answer.text}`] : [],
  );
  if (first.answer.mediaType !== PPROF_TYPE) {
    const texts = answered.map(
      ({ agent, answer }) => `# ${agent.instance.instance}\n${textOf(answer.bytes)}`,
    );
    const bytes = Buffer.from([...refusals.map((line) => `# ${line}\n`), ...texts].join('\n'));
    return { mediaType: first.answer.mediaType, bytes };
  }
  const profiles: Profile[] = [];
  for (const { agent, answer } of answered) {
    try {
      const profile = decodePprof(await decompress(answer.bytes, { maxOutputLength: DECOMPRESSED_MAX }));
      profile.head.comments = profile.head.comments.map((line) => `${agent.instance.instance}: ${line}`);
      profiles.push(profile);
    } catch (error) {
      refusals.push(`${agent.instance.instance}: ${(error as Error).message}`);
    }
  }
  const [head, ...more] = profiles;
  if (head === undefined) return { status: STATUS_FAULT, text: refusals.join('\n') };
  const longestNanos = Math.max(...profiles.map((profile) => profile.head.durationNanos));
  const merged = mergeProfiles([head, ...more]);
  merged.head.durationNanos = longestNanos;
  merged.head.comments.push(...refusals);
  return {
    mediaType: PPROF_TYPE,
    bytes: await compress(encodePprof(merged), { level: constants.Z_BEST_SPEED }),
  };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

async function partOf(
  agent: Agent,
  request: PprofRequest,
  proven: boolean,
  signal: AbortSignal,
): Promise<Part> {
  const { link } = agent;
  if (link === null) return { agent, answer: { status: STATUS_GONE, text: 'the agent is not connected' } };
  try {
    const { reply, bytes } = await link.collect(
      agentAddress(request, proven),
      request.seconds * 1000 + (PPROF_PROFILES[request.name]?.graceMillis ?? GRACE_MILLIS),
      signal,
    );
    const answer =
      reply.code === 0 ? { mediaType: reply.text, bytes } : { status: reply.code, text: reply.text };
    return { agent, answer };
  } catch (error) {
    return { agent, answer: { status: STATUS_GONE, text: (error as Error).message } };
  }
}

export function isFault(answer: CollectedAnswer | PprofFault): answer is PprofFault {
  return 'status' in answer;
}
