/** /v1/gc: the ledger of garbage collections as JSON, one object an instance. */

import type { Agents } from '../ingest/agents';
import { gcLedger, ledgerSeconds } from '../query/gc-ledger';
import { selectAgents } from '../query/selection';
import type { Store } from '../store/store';
import { sendText } from './answer';
import type { RouteHandler } from './server';

export const GC_PATH = '/v1/gc';
const JSON_TYPE = 'application/json; charset=utf-8';

export function gcRoute({ agents, store }: { agents: Agents; store: Store }): RouteHandler {
  return async (_request, response, { searchParams }) => {
    const seconds = ledgerSeconds(searchParams.get('seconds'));
    if (seconds === null) {
      const got = searchParams.get('seconds');
      return sendText(response, 400, `seconds must be a whole number from 1 to 900, got ${got}\n`);
    }
    const [service, instance] = [searchParams.get('service') ?? '', searchParams.get('instance') ?? ''];
    const selection = selectAgents(agents.live(), service, instance);
    if (selection.agents === null)
      return sendText(response, selection.fault.status, `${selection.fault.text}\n`);
    const ledgers = await Promise.all(selection.agents.map((agent) => gcLedger(store, agent, seconds)));
    sendText(response, 200, `${JSON.stringify(ledgers)}\n`, JSON_TYPE);
  };
}
