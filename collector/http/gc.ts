/** /v1/gc: the ledger of garbage collections as JSON, one object an instance. */

import type { Agents } from '../ingest/agents';
import { gcLedger, ledgerSeconds } from '../query/gc-ledger';
import { selectAgents } from '../query/selection';
import type { Store } from '../store/store';
import { sendText } from './answer';
import type { RouteHandler } from './server';

export const GC_PATH = '/v1/gc';
const JSON_TYPE = 'application/json; charset=utf-8';

/** retentionMillis: how long collections are kept. */
export type GcContext = { agents: Agents; store: Store; retentionMillis: number };

export function gcRoute({ agents, store, retentionMillis }: GcContext): RouteHandler {
  const most = Math.floor(retentionMillis / 1000);
  return async (_request, response, { searchParams }) => {
    const seconds = ledgerSeconds(searchParams.get('seconds'), most);
    if (seconds === null) {
      const got = searchParams.get('seconds');
      return sendText(response, 400, `seconds must be a whole number from 1 to ${most}, got ${got}\n`);
    }
    const [service, instance] = [searchParams.get('service') ?? '', searchParams.get('instance') ?? ''];
    const selection = selectAgents(agents.live(), service, instance);
    if (selection.agents === null)
      return sendText(response, selection.fault.status, `${selection.fault.text}\n`);
    const ledgers = await Promise.all(selection.agents.map((agent) => gcLedger(store, agent, seconds)));
    sendText(response, 200, `${JSON.stringify(ledgers)}\n`, JSON_TYPE);
  };
}
