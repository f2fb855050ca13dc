/** `/`: what is here. */
import type { Agent } from '../ingest/agents';
import { escapeHtml } from '../profile/pprof-index';

export function renderHome(live: readonly Agent[], address: string): string {
  const rows = live.map(({ instance }) => {
    const { service, instance: name, pid, nodeVersion } = instance;
    return `<tr>${[service, name, String(pid), nodeVersion].map((text) => `<td>${escapeHtml(text)}`).join('')}\n`;
  });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>ringtail</title></head><body>
<h1>ringtail collector</h1>
<table><thead><tr><th>service<th>instance<th>pid<th>node</thead>
${rows.length > 0 ? rows.join('') : '<tr><td colspan="4">no agent is connected\n'}</table>
<ul>
<li><a href="/debug/pprof/">/debug/pprof/</a>: profiles, for example
<code>go tool pprof 'http://${escapeHtml(address)}/debug/pprof/profile?seconds=5'</code></li>
<li><a href="/metrics">/metrics</a>: Prometheus text</li>
<li><a href="/v1/gc">/v1/gc</a>: every garbage collection of the last minute, JSON</li>
<li><code>/v1/tail?service=&amp;instance=</code>: WebSocket, one JSON object a second and instance; <code>ringtail tail</code> shows it</li>
<li><a href="/healthz">/healthz</a>, <a href="/readyz">/readyz</a></li>
</ul></body></html>
`;
}
