import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Agent, AgentLink } from '../../collector/ingest/agents';
import { decodePprof } from '../../collector/profile/decode-pprof';
import { encodePprof } from '../../collector/profile/pprof';
import { PPROF_TYPE, type PprofRequest } from '../../collector/profile/pprof-request';
import { Profile } from '../../collector/profile/profile';
import { ownerLabels } from '../../collector/profile/tick-profile';
import { collectFrom, isFault } from '../../collector/query/collected';

const REQUEST: PprofRequest = { name: 'block', seconds: 3, debug: 0, gc: true };

type Answer = { code: number; text: string; bytes: Uint8Array };

function agentThat(instance: string, answer: Answer | Error, asked: string[] = []): Agent {
  const link: Partial<AgentLink> = {
    collect: async (text) => {
      asked.push(text);
      if (answer instanceof Error) throw answer;
      return {
        reply: { requestId: 1, code: answer.code, t0Micros: 0, text: answer.text },
        bytes: answer.bytes,
      };
    },
  };
  return { instance: { service: 'shop', instance }, link } as unknown as Agent;
}

function profileBytes(instance: string, count: number): Uint8Array {
  const profile = new Profile({
    sampleTypes: [
      { type: 'contentions', unit: 'count' },
      { type: 'delay', unit: 'nanoseconds' },
    ],
    periodType: { type: 'contentions', unit: 'count' },
    period: 1,
    startMillis: 1000,
    durationNanos: 3e9,
    program: 'shop',
    comments: ['a comment'],
  });
  const node = profile.node(0, profile.location(profile.function('stalls', 'stalls', '/app.js', 3), 5));
  profile.add(node, profile.labelSet(ownerLabels({ service: 'shop', instance }, 0)), [count, count * 1000]);
  return gzipSync(encodePprof(profile));
}

const ok = (bytes: Uint8Array): Answer => ({ code: 0, text: PPROF_TYPE, bytes });

describe('what agents make on request', () => {
  it('is handed on as it is where there is one agent, by the address it is asked at', async () => {
    const asked: string[] = [];
    const bytes = profileBytes('a', 1);
    const answer = await collectFrom([agentThat('a', ok(bytes), asked)], REQUEST, true);
    expect(answer).toEqual({ mediaType: PPROF_TYPE, bytes });
    expect(asked).toEqual(['block?seconds=3&gc=1&proven=1']);
  });

  it('is added up where there are several, each under its own labels', async () => {
    const agents = [agentThat('a', ok(profileBytes('a', 2))), agentThat('b', ok(profileBytes('b', 5)))];
    const answer = await collectFrom(agents, REQUEST, false);
    if (isFault(answer)) throw new Error(answer.text);
    const merged = decodePprof(gunzipSync(answer.bytes));
    expect(merged.values.filter((_, index) => index % 2 === 0).sort()).toEqual([2, 5]);
    expect(merged.head).toMatchObject({ durationNanos: 3e9, comments: ['a: a comment', 'b: a comment'] });
  });

  it('tells who could not answer, and is a fault only where nobody could', async () => {
    const mute = agentThat('c', new Error('gone'));
    const refusing = agentThat('d', { code: 404, text: 'no such thing', bytes: new Uint8Array() });
    const broken = agentThat('e', ok(Buffer.from('no gzip')));
    const some = await collectFrom(
      [agentThat('a', ok(profileBytes('a', 2))), mute, refusing, broken],
      REQUEST,
      false,
    );
    if (isFault(some)) throw new Error(some.text);
    expect(decodePprof(gunzipSync(some.bytes)).head.comments).toEqual([
      'a: a comment',
      'c: gone',
      'd: no such thing',
      'e: incorrect header check',
    ]);
    expect(await collectFrom([mute, refusing], REQUEST, false)).toEqual({ status: 503, text: 'gone' });
    expect(await collectFrom([refusing, broken], REQUEST, false)).toMatchObject({ status: 502 });
  });

  it('is text below text where it is text', async () => {
    const text = (words: string): Answer => ({ code: 0, text: 'text/plain', bytes: Buffer.from(words) });
    const answer = await collectFrom(
      [agentThat('a', text('one\n')), agentThat('b', text('two\n'))],
      REQUEST,
      false,
    );
    expect(isFault(answer) ? '' : String(answer.bytes)).toBe('# a\none\n\n# b\ntwo\n');
  });
});
