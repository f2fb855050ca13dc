/** The page at /debug/pprof/: what there is, with links to take it. */
import { PPROF_PROFILES } from './pprof-request';

/**
 * query: what the links add to choose this instance, '' where there is but one. counts: of what a profile would hold, by
 * its name, where that is known without taking it.
 */
export type IndexRow = {
  service: string;
  instance: string;
  query: string;
  counts?: Readonly<Record<string, number>>;
};

/** host: as the asker called this server. */
export function pprofIndex(rows: readonly IndexRow[], host: string): string {
  const profiles = Object.entries(PPROF_PROFILES);
  const lines = rows.map(({ service, instance, query, counts = {} }) => {
    const links = profiles.map(([name, { timed }]) => {
      const how = timed === undefined ? 'debug=1' : 'seconds=5';
      const address = query === '' ? `${name}?${how}` : `${name}?${how}&${query}`;
      const count = counts[name] === undefined ? '' : ` (${counts[name]})`;
      return `<a href="${escapeHtml(address)}">${name}</a>${count}`;
    });
    return `<tr><td>${escapeHtml(service)}<td>${escapeHtml(instance)}<td>${links.join(' ')}\n`;
  });
  const descriptions = profiles.map(
    ([name, { description }]) => `<li><b>${name}</b>: ${escapeHtml(description)}</li>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>/debug/pprof/</title></head><body>
<h1>/debug/pprof/</h1>
<p>Take a profile with <code>go tool pprof 'http://${escapeHtml(host)}/debug/pprof/profile?seconds=5'</code>; where several services are connected, with <code>&amp;service=NAME</code></p>
<table><thead><tr><th>service<th>instance<th>profiles, timed ones of 5 seconds</thead>
${lines.length > 0 ? lines.join('') : '<tr><td colspan="3">no agent is connected\n'}</table>
<p>Profile descriptions:</p>
<ul>
${descriptions.join('\n')}
<li><b>cmdline</b>: the name of the service; arguments are never collected.</li>
<li><b>symbol</b>: says that symbols come with the profiles.</li>
</ul></body></html>
`;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
