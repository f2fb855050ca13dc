import { expect, it } from 'vitest';
import type { Target } from '../clients/targets';
import { Asker } from './asker';
import type { Endpoint } from './endpoints';

const ENDPOINTS: Endpoint[] = ['block', 'heap', 'pool', 'trace'].map((path) => ({
  path,
  statuses: [200],
  check: () => {},
}));

/** Answers "not now" so often by path; gives the order in which it was asked, too. */
function targetWith(notNow: Record<string, number>): { target: Target; asked: string[] } {
  const asked: string[] = [];
  const ask = async (path: string) => {
    asked.push(path);
    const status = (notNow[path] ?? 0) > 0 ? 503 : 200;
    if (status === 503) notNow[path]!--;
    return { status, headers: {}, body: Buffer.from('words') };
  };
  return { target: { name: 'the collector', address: '', proven: '', ask }, asked };
}

it('asks again at once for what had no answer in the first round, then for everything in turn', async () => {
  const { target, asked } = targetWith({ heap: 3, trace: 1 });
  const asker = new Asker(() => target, undefined, ENDPOINTS);
  for (let round = 0; round < 4; round++) await asker.askNext();
  expect(asker.missing).toEqual(['heap', 'trace']);
  for (let more = 0; more < 4; more++) await asker.askNext();
  expect([asker.missing, asker.notNow, asker.faults]).toEqual([[], 4, []]);
  for (let more = 0; more < 4; more++) await asker.askNext();
  expect(asked.slice(4).join(' ')).toBe('heap trace heap heap pool trace block heap');
});

it('stays with what is next while the other side is away', async () => {
  const { target, asked } = targetWith({ block: 2 });
  const asker = new Asker(() => target, { isAway: () => asked.length < 3, times: () => 0 }, ENDPOINTS);
  for (let more = 0; more < 4; more++) await asker.askNext();
  expect(asked).toEqual(['block', 'block', 'block', 'heap']);
});
