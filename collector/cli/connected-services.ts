/** Which services a collector hears right now: by its /metrics, which has a series for each connected instance. */
import { authorizationOf } from './given-token';

const FETCH_MILLIS = 2000;
const SERIES = /^ringtail_instance_heard_seconds\{(?:.*,)?service="((?:[^"\\]|\\.)*)"/gm;

/** tail: the address of the collector's tail. null where the collector does not tell. */
export async function fetchServices(tail: URL, token: string): Promise<string[] | null> {
  const url = new URL('/metrics', tail.href.replace(/^ws/, 'http'));
  try {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(FETCH_MILLIS),
      headers: { connection: 'close', ...authorizationOf(token) },
    });
    return response.ok ? parseServices(await response.text()) : null;
  } catch {
    return null;
  }
}

/** Sorted, each once. */
export function parseServices(metrics: string): string[] {
  const names = [...metrics.matchAll(SERIES)].map(([, name = '']) => unescapeLabel(name));
  return [...new Set(names)].sort();
}

function unescapeLabel(text: string): string {
  return text.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character));
}
