import { scanFunctions } from '../../../agent/aggregator/function-scanner';
import type { ScriptSource } from '../../../agent/aggregator/profile-reader';
import { boundIn, exportsIn, importsIn, valuesIn } from '../../../agent/aggregator/script-words';

/** Scripts by their address; what they import is found by the end of its address. */
export function scriptsOf(sources: Record<string, string>): ScriptSource {
  const textOf = (url: string) => {
    const source = sources[url];
    if (source === undefined) return null;
    const lines = source.split('\n');
    const waitLines = new Set(lines.flatMap((line, i) => (line.includes('Atomics.wait(') ? [i + 1] : [])));
    return { functions: scanFunctions(source)!, waitLines };
  };
  const addressOf = (name: string) => Object.keys(sources).find((url) => url.endsWith(name.slice(1)));
  const sourceOf = (url: string) => sources[url] ?? '';
  return {
    textOf,
    linesOf: (url, from, to) =>
      sourceOf(url)
        .split('\n')
        .slice(from - 1, to)
        .join('\n'),
    importsOf: (url) => importsIn(sourceOf(url)).flatMap((name) => addressOf(name) ?? []),
    boundTo: (url, name) => addressOf(boundIn(sourceOf(url)).get(name) ?? '-/') ?? null,
    exportsOf: (url) => exportsIn(sourceOf(url)),
    isLarge: () => false,
    valuesOf: (url) => valuesIn(sourceOf(url)),
  };
}
