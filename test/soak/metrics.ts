/** Sums of what a collector's /metrics says. */

export type Metrics = {
  /** Of all samples of that name whose labels have these; 0 for none. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number;
  /** By one label, zeros left out. */
  byLabel(name: string, label: string): Record<string, number>;
};

export async function fetchMetrics(url: string): Promise<Metrics> {
  return readMetrics(await (await fetch(`${url}/metrics`)).text());
}

export function readMetrics(text: string): Metrics {
  const samples = [...text.matchAll(/^([\w:]+)(?:\{(.*)\})? (\S+)$/gm)].map(
    ([, name, labels = '', value]) => ({
      name,
      labels: new Map([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, word]) => [key!, word!])),
      value: Number(value),
    }),
  );
  const named = (wanted: string) => samples.filter(({ name }) => name === wanted);
  return {
    sum: (name, labels = {}) =>
      named(name)
        .filter((sample) => Object.entries(labels).every(([key, word]) => sample.labels.get(key) === word))
        .reduce((sum, { value }) => sum + value, 0),
    byLabel: (name, label) => {
      const sums: Record<string, number> = {};
      for (const { labels, value } of named(name).filter((sample) => sample.value !== 0)) {
        const word = labels.get(label) ?? '';
        sums[word] = (sums[word] ?? 0) + value;
      }
      return sums;
    },
  };
}
