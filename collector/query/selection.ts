/** Which agents a request means: by service, by instance, or the only service there is. */
import type { Agent } from '../ingest/agents';

export type Selection =
  | { agents: readonly Agent[]; service: string; fault: null }
  /** status: 400 where the request must say more, 404 where it names what is not there, 503 where nothing is. */
  | { agents: null; fault: { status: number; text: string } };

/** service and instance: '' when not given. An instance is named by its name or by its agent id. */
export function selectAgents(live: readonly Agent[], service: string, instance: string): Selection {
  if (live.length === 0) {
    return refuse(503, 'no agent is connected: start a program with node -r ringtail/agent/register app.js');
  }
  const ofInstance = live.filter(({ instance: known }) => {
    return instance === '' || known.instance === instance || known.agentId === instance;
  });
  const found = ofInstance.filter(({ instance: known }) => service === '' || known.service === service);
  if (found.length === 0) {
    const asked = [service && `service ${service}`, instance && `instance ${instance}`]
      .filter(Boolean)
      .join(', ');
    return refuse(404, `${asked} is not connected; these are:\n${listOf(live)}`);
  }
  const services = new Set(found.map(({ instance: known }) => known.service));
  if (services.size > 1) {
    return refuse(400, `more than one service is connected, add ?service= to the address:\n${listOf(found)}`);
  }
  return { agents: found, service: found[0]!.instance.service, fault: null };
}

function listOf(agents: readonly Agent[]): string {
  return agents
    .map(({ instance }) => `  service=${instance.service}  instance=${instance.instance}`)
    .join('\n');
}

function refuse(status: number, text: string): Selection {
  return { agents: null, fault: { status, text } };
}
